import OperationHTTP
import OperationTracking
import TestSockets
import Testing

struct RequestTests {
    private static func request(_ target: String) -> String { "GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n" }

    @Test func aRequestIsAnsweredWithLengthAndDate() async throws {
        let service = try TestService()
        let answer = try await service.ask("GET", "/health")
        #expect(answer.status == 200)
        #expect(answer.header("Content-Type") == "application/json")
        #expect(answer.header("Content-Length") == "\(answer.body.utf8.count)")
        #expect(answer.header("Date")?.hasSuffix(" GMT") == true)
        #expect(answer.body.hasPrefix("{"))
        await service.stop()
    }

    @Test func aBodyReachesTheAPIAndStartsAnOperation() async throws {
        let service = try TestService()
        let body = #"{"operation_type": "download", "description": "from outside", "total_size_mb": 3}"#
        let answer = try await service.ask("POST", Target.operations + "/start", body: body)
        #expect(answer.status == 200 || answer.status == 201)
        #expect(service.tracker.activeOperations.map(\.description) == ["from outside"])
        await service.stop()
    }

    @Test func aConnectionServesManyRequests() async throws {
        let service = try TestService()
        let statuses = try await service.talk { client in
            try (0..<20).map { _ in try client.ask("GET", Target.operations).status }
        }
        #expect(statuses == Array(repeating: 200, count: 20))
        await service.stop()
    }

    @Test func pipelinedRequestsAreAnsweredInTheirOrder() async throws {
        let service = try TestService()
        let id = try service.tracker.start(type: .download, description: "one").id
        // The second one has to wait for a history, the others don't.
        let targets = ["/health", Target.operations + "/op_nobody", Target.operations + "/\(id)", "/nothing"]
        let answers = try await service.talk { client in
            try client.send(targets.map(Self.request).joined())
            return try targets.map { _ in try client.readResponse() }
        }
        #expect(answers.map(\.status) == [200, 404, 200, 404])
        #expect(answers[2].body.contains(id.rawValue))
        await service.stop()
    }

    @Test func headHasTheLengthAndNoBody() async throws {
        let service = try TestService()
        let (head, next) = try await service.talk { client in
            (try client.ask("HEAD", "/health"), try client.ask("GET", "/health"))
        }
        #expect(head.status == 200 && head.body.isEmpty)
        #expect(head.header("Content-Length") == next.header("Content-Length"))
        await service.stop()
    }

    @Test func headOfAStreamEndsAtOnce() async throws {
        let service = try TestService()
        let (head, rest) = try await service.talk { client in
            (try client.ask("HEAD", Target.stream), try client.readToEnd())
        }
        #expect(head.status == 200 && head.header("Content-Type") == "text/event-stream")
        // How long the stream would be, nobody knows.
        #expect(head.header("Content-Length") == nil)
        #expect(rest.isEmpty)
        await service.stop()
    }

    @Test func anUnknownMethodIsRefusedByTheAPI() async throws {
        let service = try TestService()
        let answer = try await service.ask("BREW", "/health")
        #expect(answer.status == 405)
        #expect(answer.header("Allow")?.contains("GET") == true)
        await service.stop()
    }

    @Test(
        arguments: [
            "/api/ports/operations/%2e%2e%2fsecret", "/api/ports/operations/op_%00", "/api/ports/operations/%zz",
            "/api/ports/operations/op_ 1", "/api/ports/operations/op_\u{0}1", "/api/ports/operations?type=%00",
            "/api/ports/operations\u{0}", "/api/ports/operations/é", "*",
        ]
    )
    func aTargetThatCanBeReadInTwoWaysReachesTheAPIRawAndIsRefused(_ target: String) async throws {
        let service = try TestService()
        let answer = try await service.ask("GET", target)
        #expect(answer.status == 400)
        #expect(answer.header("Content-Type") == "application/problem+json")
        await service.stop()
    }

    @Test func clientsOfTheOldHTTPAreServedToo() async throws {
        let service = try TestService()
        let answer = try await service.talk { client in
            try client.send("GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")
            let answer = try client.readResponse()
            return (answer, client.waitForPeerClose())
        }
        #expect(answer.0.status == 200 && answer.1)
        await service.stop()
    }

    @Test func aNotModifiedAnswerHasNoBody() async throws {
        let service = try TestService()
        let answers = try await service.talk { client in
            let first = try client.ask("GET", Target.operations)
            let tag = first.header("ETag") ?? ""
            return [first, try client.ask("GET", Target.operations, headers: ["If-None-Match: \(tag)"])]
                + [try client.ask("GET", "/health")]
        }
        #expect(answers.map(\.status) == [200, 304, 200])
        await service.stop()
    }

    @Test func whatIsNotModifiedSaysNoOtherLengthThanTheWholeAnswer() async throws {
        let service = try TestService()
        let answers = try await service.talk { client in
            let first = try client.ask("GET", Target.operations)
            let tag = first.header("ETag") ?? ""
            // The connection goes on, so nothing was sent behind the head.
            return [
                first, try client.ask("GET", Target.operations, headers: ["If-None-Match: \(tag)"]),
                try client.ask("GET", "/health"),
            ]
        }
        #expect(answers.map(\.status) == [200, 304, 200])
        #expect(answers[1].header("Content-Length").map { $0 == answers[0].header("Content-Length") } ?? true)
        await service.stop()
    }

    @Test func aTargetInAbsoluteFormIsTaken() async throws {
        let service = try TestService()
        let statuses = try await service.talk { client in
            try ["http://127.0.0.1:1/health", "http://evil.example\(Target.operations)"].map {
                try client.ask("GET", $0).status
            } + [try client.ask("OPTIONS", "*").status]
        }
        #expect(statuses == [200, 403, 204])
        await service.stop()
    }
}
