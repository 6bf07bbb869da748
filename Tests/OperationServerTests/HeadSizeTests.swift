import OperationHTTP
import OperationTracking
import TestSockets
import Testing

@testable import OperationServer

/// Heads about as large as a connection's memory: whoever is answered is answered whole, and for whoever isn't nothing is done.
struct HeadSizeTests {
    /// What a head is made large with, from what is taken to what libmicrohttpd itself refuses.
    enum Shape: CaseIterable {
        case ninetyNineFields, eightyFields, sixtyFourFields, oneCookie, shortCookies, longCookies, mixed

        var sizes: StrideThrough<Int> {
            switch self {
            case .ninetyNineFields: stride(from: 8500, through: 10_300, by: 60)
            case .eightyFields: stride(from: 9800, through: 11_500, by: 60)
            case .sixtyFourFields: stride(from: 10_800, through: 12_300, by: 60)
            case .oneCookie: stride(from: 6300, through: 8500, by: 50)
            case .shortCookies: stride(from: 50, through: 140, by: 2)
            case .longCookies: stride(from: 15, through: 30, by: 1)
            case .mixed: stride(from: 10, through: 120, by: 3)
            }
        }

        /// - Parameter size: bytes, or how many cookies or how much of each there is.
        func head(_ size: Int) -> (query: String, fields: [String]) {
            switch self {
            case .ninetyNineFields: ("", Self.fields(97, size))
            case .eightyFields: ("", Self.fields(78, size))
            case .sixtyFourFields: ("", Self.fields(62, size))
            case .oneCookie: ("", ["Cookie: a=" + Self.text(size)])
            case .shortCookies: ("", [Self.cookies(size, of: 25)])
            case .longCookies: ("", [Self.cookies(size, of: 300)])
            case .mixed:
                (
                    (0..<30).map { "&p\($0)=" + Self.text(size) }.joined(),
                    Self.fields(30, 30 * size) + [Self.cookies(20, of: size)]
                )
            }
        }

        private static func text(_ count: Int) -> String { String(repeating: "a", count: max(0, count)) }

        private static func fields(_ count: Int, _ size: Int) -> [String] {
            let left = size - count * 9
            return (0..<count).map { index in
                "X-\(100 + index): " + text(index == 0 ? left - left / count * (count - 1) : left / count)
            }
        }

        private static func cookies(_ count: Int, of size: Int) -> String {
            "Cookie: " + (0..<count).map { "c\(100 + $0)=" + text(size) }.joined(separator: "; ")
        }
    }

    @Test(arguments: Shape.allCases)
    func everyRequestIsAnsweredWholeOrNothingIsDone(_ shape: Shape) async throws {
        let service = try TestService()
        let port = Int(service.server.port)
        let statuses = try await service.talk { _ in
            try shape.sizes.map { size in
                let head = shape.head(size)
                let client = try TestClient(port: port)
                let target = "\(Target.operations)/start?operation_type=a" + head.query
                let answer = try client.ask("POST", target, headers: ["Content-Length: 0"] + head.fields)
                #expect(answer.status != 200 || answer.body.contains("operation_id"), "\(size)")
                return answer.status
            }
        }
        #expect(Set(statuses) == [200, 431])
        #expect(statuses == statuses.sorted())
        #expect(service.tracker.activeOperations.count == statuses.count { $0 == 200 })
        await service.stop()
    }

    @Test func theBeginningOfTheNextRequestTakesNoRoomFromTheAnswer() async throws {
        let service = try TestService()
        let answers = try await service.talk { client in
            let fields = (0..<97).map { "X-\($0): a" }.joined(separator: "\r\n")
            let target = "\(Target.operations)/start?operation_type=a"
            let first = "POST \(target) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\(fields)\r\n\r\n"
            let next = "GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: " + String(repeating: "a", count: 10_000)
            try client.send(first + next)
            let answer = try client.readResponse()
            try client.send("\r\n\r\n")
            return [answer, try client.readResponse()]
        }
        #expect(answers.map(\.status) == [200, 200])
        #expect(service.tracker.activeOperations.count == 1)
        await service.stop()
    }

    @Test func trailerFieldsThatLeaveNoRoomAreRefusedBeforeAnythingIsDone() async throws {
        let service = try TestService()
        let statuses = try await service.talk { _ in
            try [1, 100].map { count in
                let client = try TestClient(port: Int(service.server.port))
                let fields = (0..<40).map { "X-\($0): a" }.joined(separator: "\r\n")
                let target = "\(Target.operations)/start?operation_type=a"
                try client.send(
                    "POST \(target) HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\(fields)\r\n\r\n0\r\n"
                )
                try client.send((0..<count).map { "T-\($0): a\r\n" }.joined() + "\r\n")
                return try client.readResponse().status
            }
        }
        #expect(statuses == [200, 431])
        #expect(service.tracker.activeOperations.count == 1)
        await service.stop()
    }

    @Test func whatIsRefusedForItsSizeSaysWhenAndToWhom() async throws {
        let service = try TestService(api: { $0.allowedOrigins = ["https://example.org"] })
        let fields = ["Origin: https://example.org"] + (0..<90).map { "X-\($0): a" }
        let cookies = "Cookie: " + (0..<40).map { "c\($0)=a" }.joined(separator: "; ")
        let heads = [fields + [cookies], fields + ["Content-Length: 5000000"], [fields[0]]]
        let targets = ["/health", "/health", "/" + String(repeating: "a", count: 12_500)]
        for (index, status) in [431, 413, 414].enumerated() {
            let answer = try await service.ask("POST", targets[index], headers: heads[index])
            #expect(answer.status == status)
            #expect(answer.header("Date")?.hasSuffix(" GMT") == true && answer.header("Date")?.count == 29)
            #expect(answer.header("Content-Type") == "application/problem+json")
            #expect(answer.header("X-Content-Type-Options") == "nosniff")
            #expect(answer.header("Access-Control-Allow-Origin") == "https://example.org")
        }
        await service.stop()
    }

    @Test(arguments: [Int.min, 0, .max])
    func anyLimitIsTaken(_ limit: Int) async throws {
        let service = try TestService { $0.maximumHeadBytes = limit }
        #expect(try await service.ask("GET", "/health").status == 200)
        await service.stop()
    }
}
