import OperationHTTP
import OperationTracking
import TestSockets
import Testing

struct BadInputTests {
    private static let start = Target.operations + "/start"

    private static func head(_ lines: String...) -> String { head(lines) }

    private static func head(_ lines: [String]) -> String {
        (["POST \(start) HTTP/1.1", "Host: localhost", "Content-Type: application/json"] + lines)
            .joined(separator: "\r\n") + "\r\n\r\n"
    }

    @Test func aBodyThatIsTooLongIsRefusedUnread() async throws {
        let service = try TestService(api: { $0.maximumBodyBytes = 1000 })
        let answer = try await service.talk { client in
            try client.send(Self.head("Content-Length: 1001"))
            return (try client.readResponse(), client.waitForPeerClose())
        }
        #expect(answer.0.status == 413 && answer.1)
        #expect(answer.0.header("Content-Type") == "application/problem+json")
        await service.stop()
    }

    @Test(arguments: ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
    func nobodysBodyIsRead(_ length: String) async throws {
        let service = try TestService(token: "a token of some length", trustsLocalUser: false)
        let answer = try await service.talk { client in
            try client.send(Self.head(length))
            return (try client.readResponse(), client.waitForPeerClose())
        }
        #expect(answer.0.status == 401 && answer.1)
        await service.stop()
    }

    @Test(arguments: [401, 413, 400])
    func whoSendsTheWholeBodyBeforeReadingFindsTheRefusal(_ status: Int) async throws {
        let service = try TestService(token: "a token of some length", trustsLocalUser: status != 401)
        let answer = try await service.talk { client in
            let size = status == 413 ? 4 << 20 : 1 << 20
            let head = ["Content-Length: \(size)"] + (status == 400 ? ["X-Fold: a", " b"] : [])
            try client.send(Self.head(head))
            try client.send(String(repeating: " ", count: size))
            return (try client.readResponse(), client.waitForPeerClose())
        }
        #expect(answer.0.status == status && answer.1)
        #expect(answer.0.header("Content-Type") == "application/problem+json")
        await service.stop()
    }

    @Test func whoAsksBeforeSendingTheBodyIsRefusedInstead() async throws {
        let service = try TestService(token: "a token of some length", trustsLocalUser: false)
        let answer = try await service.talk { client in
            try client.send(Self.head(["Content-Length: 1000000", "Expect: 100-Continue"]))
            return (try client.readResponse(), client.waitForPeerClose())
        }
        #expect(answer.0.status == 401 && answer.1)
        await service.stop()
    }

    @Test func theRefusalOfHEADHasNoBody() async throws {
        let service = try TestService(token: "a token of some length", trustsLocalUser: false)
        let rest = try await service.talk { client in
            try client.send("HEAD \(Target.operations) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n")
            return (try client.readHead().status, client.waitForPeerClose())
        }
        #expect(rest == (401, true))
        await service.stop()
    }

    @Test func aConnectionGoesOnAfterTheRefusalOfASmallBody() async throws {
        let service = try TestService()
        let statuses = try await service.talk { client in
            [try client.ask("POST", "/nothing", body: "{}").status, try client.ask("GET", "/health").status]
        }
        #expect(statuses == [404, 200])
        await service.stop()
    }

    @Test func aChunkedBodyIsPutTogether() async throws {
        let service = try TestService()
        let answer = try await service.talk { client in
            let body = #"{"operation_type":"download","description":"chunks"}"#
            try client.send(Self.head("Transfer-Encoding: chunked"))
            for byte in body.utf8 { try client.send("1\r\n" + String(UnicodeScalar(byte)) + "\r\n") }
            try client.send("0\r\n\r\n")
            return try client.readResponse()
        }
        #expect(answer.status == 200 || answer.status == 201)
        #expect(service.tracker.activeOperations.map(\.description) == ["chunks"])
        await service.stop()
    }

    @Test func aChunkedBodyThatIsTooLongIsRefused() async throws {
        let service = try TestService(api: { $0.maximumBodyBytes = 1000 })
        let answers = try await service.talk { client in
            try client.send(Self.head("Transfer-Encoding: chunked"))
            for _ in 0..<11 { try client.send("64\r\n" + String(repeating: " ", count: 100) + "\r\n") }
            try client.send("0\r\n\r\n")
            return [try client.readResponse(), try client.ask("GET", "/health")]
        }
        #expect(answers.map(\.status) == [413, 200])
        await service.stop()
    }

    @Test func aChunkedBodyThatIsMuchTooLongIsAnsweredWhileItComes() async throws {
        let service = try TestService(api: { $0.maximumBodyBytes = 1000 })
        let answer = try await service.talk { client in
            try client.send(Self.head("Transfer-Encoding: chunked"))
            for _ in 0..<30 { try client.send("64\r\n" + String(repeating: " ", count: 100) + "\r\n") }
            return (try client.readResponse(), client.waitForPeerClose())
        }
        #expect(answer.0.status == 413 && answer.1)
        #expect(answer.0.header("Content-Type") == "application/problem+json")
        #expect(answer.0.body.contains("too_large"))
        await service.stop()
    }

    @Test func aChunkedBodyWithoutEndIsBrokenOff() async throws {
        let service = try TestService(api: { $0.maximumBodyBytes = 1000 })
        let isClosed = try await service.talk { client in
            try client.send(Self.head("Transfer-Encoding: chunked"))
            let chunk = "64\r\n" + String(repeating: " ", count: 100) + "\r\n"
            // Until sending fails, or the test's own patience ends.
            for _ in 0..<100_000 {
                do { try client.send(chunk) } catch { return true }
            }
            return false
        }
        #expect(isClosed)
        await service.stop()
    }

    @Test func aTruncatedBodyStartsNothing() async throws {
        let service = try TestService()
        try await service.talk { client in
            try client.send(Self.head("Content-Length: 100") + #"{"operation_type":"download","description":"x"}"#)
        }
        #expect(try await service.ask("GET", "/health").status == 200)
        #expect(service.tracker.activeOperations.isEmpty)
        await service.stop()
    }

    @Test(
        arguments: [
            ["Content-Length: 2", "Content-Length: 3"], ["Content-Length: 2", "Transfer-Encoding: chunked"],
            ["Transfer-Encoding: gzip, chunked"], ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
            ["X-Fold: a", " b"], ["X-Nul: a\u{0}b"], ["Content-Length : 2"], ["\u{0}X: hidden end"],
        ]
    )
    func aHeadThatCanBeReadInTwoWaysIsRefused(_ lines: [String]) async throws {
        let service = try TestService()
        let answer = try await service.talk { client in
            let head = ["POST \(Self.start) HTTP/1.1", "Host: localhost"] + lines + ["X-Last: 1"]
            try client.send(head.joined(separator: "\r\n") + "\r\n\r\n")
            return (try client.readResponse(), client.waitForPeerClose())
        }
        #expect(answer.0.status == 400 && answer.1)
        #expect(answer.0.header("Content-Type") == "application/problem+json")
        await service.stop()
    }

    @Test func aHundredHeaderFieldsAreFineAndMoreAreRefused() async throws {
        let service = try TestService()
        // The host is one.
        let few = try await service.ask("GET", "/health", headers: (1..<100).map { "X-\($0): v" })
        let many = try await service.ask("GET", "/health", headers: (1..<101).map { "X-\($0): v" })
        #expect(few.status == 200)
        #expect(many.status == 431 && many.body.contains("too_many_headers"))
        await service.stop()
    }

    @Test func eightThousandHeaderFieldsAreRefusedAndTheServerLivesOn() async throws {
        let service = try TestService()
        let status = try await service.talk { client in
            let fields = (0..<8000).map { "X-\($0): value" }.joined(separator: "\r\n")
            try? client.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n\r\n")
            return try client.readHead().status
        }
        #expect(status == 431)
        #expect(try await service.ask("GET", "/health").status == 200)
        await service.stop()
    }

    /// What a head has too much of, and what is said to it.
    enum Excess: Int, CaseIterable {
        case path = 414
        case field = 431
        case parameters = 400

        var head: (target: String, headers: [String]) {
            switch self {
            case .path: ("/" + String(repeating: "a", count: 12_000), ["X-Other: 1"])
            case .field: ("/health", ["X-Long: " + String(repeating: "a", count: 13_000)])
            case .parameters: ("/health?" + String(repeating: "a&", count: 80), [])
            }
        }
    }

    @Test(arguments: Excess.allCases)
    func whatIsSomewhatTooLongIsRefusedInTheAPIsWords(_ excess: Excess) async throws {
        let service = try TestService()
        let answer = try await service.ask("GET", excess.head.target, headers: excess.head.headers)
        #expect(answer.status == excess.rawValue)
        #expect(answer.header("Content-Type") == "application/problem+json")
        await service.stop()
    }

    @Test func aLongHeadIsTaken() async throws {
        let service = try TestService()
        let texts = { (count: Int) in (0..<count).map { "a\($0)=" + String(repeating: "a", count: 60) } }
        let fields = ["Cookie: " + texts(10).joined(separator: "; ")] + (1..<50).map { "X-\($0): \(texts(1)[0])" }
        let answer = try await service.ask("GET", "/health?" + texts(30).joined(separator: "&"), headers: fields)
        #expect(answer.status == 200)
        let long = "Cookie: a=" + String(repeating: "a", count: 2000)
        #expect(
            try await service.ask("GET", "/health?" + texts(60).joined(separator: "&"), headers: [long]).status == 200
        )
        await service.stop()
    }

    @Test func aTargetWithoutEndIsRefused() async throws {
        let service = try TestService()
        let status = try await service.talk { client in
            try? client.send("GET /" + String(repeating: "a", count: 100_000))
            return try client.readHead().status
        }
        #expect(status == 414)
        await service.stop()
    }

    @Test func whatIsNoHTTPIsClosed() async throws {
        let service = try TestService()
        let isClosed = try await service.talk { client in
            try client.send("\u{16}\u{3}\u{1}hello\r\n\r\n")
            return client.waitForPeerClose()
        }
        #expect(isClosed)
        #expect(try await service.ask("GET", "/health").status == 200)
        await service.stop()
    }

    @Test func aClientThatExpectsItIsToldToGoOn() async throws {
        let service = try TestService()
        let statuses = try await service.talk { client in
            let body = #"{"operation_type":"download","description":"expected"}"#
            try client.send(Self.head("Content-Length: \(body.utf8.count)", "Expect: 100-continue"))
            let first = try client.readResponse()
            try client.send(body)
            return [first.status, try client.readResponse().status]
        }
        #expect(statuses.first == 100)
        #expect(service.tracker.activeOperations.map(\.description) == ["expected"])
        await service.stop()
    }

    @Test func aClientThatExpectsItIsNotToldToGoOnWithTooMuch() async throws {
        let service = try TestService(api: { $0.maximumBodyBytes = 1000 })
        let status = try await service.talk { client in
            try client.send(Self.head("Content-Length: 5000000", "Expect: 100-continue"))
            return try client.readResponse().status
        }
        #expect(status == 413)
        await service.stop()
    }
}
