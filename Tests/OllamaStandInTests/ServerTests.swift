import TestSupport
import Testing

@testable import OllamaStandIn

/// The stand-in over its socket.
struct ServerTests {
    static let demo = #"{"model":"demo"}"#

    /// A model that is pulled within a few milliseconds.
    func quick(_ name: String = "demo", faults: [Fault] = []) -> ScriptedModel {
        ScriptedModel(
            name: name,
            layers: [.init(seed: name, bytes: 1_000_000)],
            link: .steady(1_000_000_000),
            registryLatency: .zero,
            faults: faults
        )
    }

    /// A model that is not pulled before a test ends.
    func slow(faults: [Fault] = [], latency: Duration = .zero, lineInterval: Duration = .milliseconds(5))
        -> ScriptedModel
    {
        ScriptedModel(
            name: "demo",
            layers: [.init(seed: "slow", bytes: 1_000_000_000)],
            link: .steady(1_000_000),
            registryLatency: latency,
            lineInterval: lineInterval,
            faults: faults
        )
    }

    func completed(_ piece: RawClient.Piece) throws -> Int {
        guard case .chunk(let line) = piece else { throw RawClient.Unexpected(text: "\(piece)") }
        return try LineFields(line).completed ?? 0
    }

    @Test func aStreamHasOneChunkALineAndAnOrderlyEnd() async throws {
        let standIn = try OllamaStandIn(models: [quick()])
        let client = try RawClient(standIn.url)
        let head = try await client.request("POST", "/api/pull", body: Self.demo)
        #expect(head.status == 200)
        #expect(head.headers["Content-Type"] == "application/x-ndjson")
        #expect(head.headers["Transfer-Encoding"] == "chunked")
        #expect(head.headers["Date"] != nil)
        let lines = ["pulling manifest", "verifying sha256 digest", "writing manifest", "success"]
        #expect(try await client.rest() == lines.map { .chunk("{\"status\":\"\($0)\"}\n") } + [.end])
    }

    @Test func theFirstLineComesAtOnce() async throws {
        let standIn = try OllamaStandIn(models: [slow(latency: .seconds(3_600))])
        let client = try RawClient(standIn.url)
        _ = try await client.request("POST", "/api/pull", body: Self.demo)
        #expect(try await client.piece() == .chunk("{\"status\":\"pulling manifest\"}\n"))
        #expect(standIn.pullsInFlight == 1)
    }

    @Test func aPulledModelIsListedWhenItsStreamHasEnded() async throws {
        let standIn = try OllamaStandIn(models: [quick()])
        let client = try RawClient(standIn.url)
        _ = try await client.request("POST", "/api/pull", body: Self.demo)
        _ = try await client.rest()
        #expect(standIn.pullsInFlight == 0)
        let head = try await client.request("GET", "/api/tags")
        #expect(head.headers["Content-Type"] == "application/json; charset=utf-8")
        #expect(try await client.body(of: head).contains(#""name":"demo:latest""#))
        #expect(standIn.requestsSeen == ["POST /api/pull", "GET /api/tags"])
    }

    @Test func withoutStreamingThereIsTheEndAlone() async throws {
        let standIn = try OllamaStandIn(models: [quick()])
        let client = try RawClient(standIn.url)
        let head = try await client.request("POST", "/api/pull", body: #"{"model":"demo","stream":false}"#)
        #expect(head.status == 200)
        #expect(head.headers["Content-Type"] == "application/json")
        #expect(try await client.body(of: head) == #"{"status":"success"}"#)
    }

    @Test func withoutStreamingAnErrorIsA500() async throws {
        let standIn = try OllamaStandIn(models: [])
        let client = try RawClient(standIn.url)
        let head = try await client.request("POST", "/api/pull", body: #"{"model":"demo","stream":false}"#)
        #expect(head.status == 500)
        #expect(try await client.body(of: head) == #"{"error":"pull model manifest: file does not exist"}"#)
    }

    @Test func withoutStreamingACutIsNoAnswerAtAll() async throws {
        let standIn = try OllamaStandIn(models: [quick(faults: [Fault(.cut(afterBytes: 1))])])
        let client = try RawClient(standIn.url)
        await #expect(throws: (any Error).self) {
            try await client.request("POST", "/api/pull", body: #"{"model":"demo","stream":false}"#)
        }
        #expect(standIn.pullsInFlight == 0)
    }

    @Test func aRefusalHasItsStatusAndHeaders() async throws {
        let standIn = try OllamaStandIn(models: [])
        let client = try RawClient(standIn.url)
        let wrongMethod = try await client.request("GET", "/api/pull")
        #expect(wrongMethod.status == 405)
        #expect(wrongMethod.headers["Allow"] == "POST")
        #expect(wrongMethod.headers["Content-Type"] == "text/plain")
        #expect(try await client.body(of: wrongMethod) == "405 method not allowed")
        let noBody = try await client.request("POST", "/api/pull")
        #expect(noBody.status == 400)
        #expect(try await client.body(of: noBody) == #"{"error":"missing request body"}"#)
    }

    @Test func aBodyOverTheLimitIsRefused() async throws {
        let standIn = try OllamaStandIn(models: [quick()])
        let client = try RawClient(standIn.url)
        let padding = String(repeating: " ", count: HTTPShell.bodyLimit)
        #expect(try await client.request("POST", "/api/pull", body: padding + Self.demo).status == 413)
    }

    @Test func aStatusFaultComesAsOftenAsItSays() async throws {
        let standIn = try OllamaStandIn(models: [
            quick(faults: [Fault(.status(503, body: #"{"error":"busy"}"#), times: 2)])
        ])
        let client = try RawClient(standIn.url)
        for _ in 1...2 {
            let head = try await client.request("POST", "/api/pull", body: Self.demo)
            #expect(head.status == 503)
            #expect(try await client.body(of: head) == #"{"error":"busy"}"#)
        }
        #expect(try await client.request("POST", "/api/pull", body: Self.demo).status == 200)
        #expect(try await client.rest().last == .end)
    }

    @Test func aCutStreamHasNoFinalChunk() async throws {
        let standIn = try OllamaStandIn(models: [slow(faults: [Fault(.cut(afterBytes: 20_000))])])
        let client = try RawClient(standIn.url)
        _ = try await client.request("POST", "/api/pull", body: Self.demo)
        let pieces = try await client.rest()
        #expect(pieces.last == .closed)
        #expect(pieces.count > 2)
        #expect(standIn.pullsInFlight == 0)
    }

    @Test func aRawBodyIsSentAsItIs() async throws {
        let text = "{\"status\":\n" + String(repeating: "x", count: 100_000)
        let standIn = try OllamaStandIn(models: [
            quick("end", faults: [Fault(.raw(Array(text.utf8)))]),
            quick("cut", faults: [Fault(.rawThenCut(Array(text.utf8)))]),
        ])
        for (name, end) in [("end", RawClient.Piece.end), ("cut", .closed)] {
            let client = try RawClient(standIn.url)
            _ = try await client.request("POST", "/api/pull", body: #"{"model":"\#(name)"}"#)
            let pieces = try await client.rest()
            #expect(pieces.last == end)
            let body = pieces.map { if case .chunk(let text) = $0 { text } else { "" } }.joined()
            #expect(body == text)
        }
    }

    @Test func aClientThatClosesStopsItsPullAndKeepsTheBytes() async throws {
        let standIn = try OllamaStandIn(models: [slow()])
        let first = try RawClient(standIn.url)
        _ = try await first.request("POST", "/api/pull", body: Self.demo)
        var reached = 0
        while reached < 20_000 { reached = try completed(try await first.piece()) }
        try await first.hangUp()
        try await eventually { standIn.pullsInFlight == 0 }

        let second = try RawClient(standIn.url)
        _ = try await second.request("POST", "/api/pull", body: Self.demo)
        _ = try await second.piece()
        #expect(try completed(try await second.piece()) > reached)
    }

    @Test(arguments: [true, false])
    func aClosedConnectionIsNoticedInASilence(streams: Bool) async throws {
        let standIn = try OllamaStandIn(models: [slow(latency: .seconds(3_600))])
        let client = try RawClient(standIn.url)
        let body = #"{"model":"demo","stream":\#(streams)}"#
        try await client.sendRequest("POST", "/api/pull", body: body)
        try await eventually { standIn.pullsInFlight == 1 }
        try await client.hangUp()
        try await eventually { standIn.pullsInFlight == 0 }
    }

    @Test func aRequestSentAheadIsAnsweredAfterThePull() async throws {
        let standIn = try OllamaStandIn(models: [slow(faults: [Fault(.error(afterBytes: 20_000, message: "over"))])])
        let client = try RawClient(standIn.url)
        _ = try await client.request("POST", "/api/pull", body: Self.demo)
        try await client.sendRequest("GET", "/api/version")
        let pieces = try await client.rest()
        #expect(pieces.suffix(2) == [.chunk("{\"error\":\"over\"}\n"), .end])
        #expect(try await client.body(of: client.head()) == #"{"version":"0.32.15"}"#)
        #expect(standIn.requestsSeen == ["POST /api/pull", "GET /api/version"])
    }

    @Test func aClientThatSendsAheadAndResetsIsNoticed() async throws {
        let standIn = try OllamaStandIn(models: [slow(latency: .seconds(3_600))])
        let client = try RawClient(standIn.url)
        _ = try await client.request("POST", "/api/pull", body: Self.demo)
        try await client.sendRequest("GET", "/api/version")
        try await client.hangUp(resetting: true)
        try await eventually { standIn.pullsInFlight == 0 }
    }

    @Test func anEmptyBodyCanTakeThePlaceOfAnAnswer() async throws {
        let standIn = try OllamaStandIn(models: [quick(faults: [Fault(.status(429, body: ""))])])
        let head = try await RawClient(standIn.url).request("POST", "/api/pull", body: Self.demo)
        #expect(head.status == 429)
        #expect(head.headers["Content-Length"] == "0")
    }

    @Test func stopCutsWhatIsInFlight() async throws {
        let standIn = try OllamaStandIn(models: [
            slow(), ScriptedModel(name: "silent", bytes: 9, registryLatency: .seconds(3_600)),
        ])
        let streaming = try RawClient(standIn.url)
        _ = try await streaming.request("POST", "/api/pull", body: Self.demo)
        let silent = try RawClient(standIn.url)
        _ = try await silent.request("POST", "/api/pull", body: #"{"model":"silent"}"#)
        let waiting = try RawClient(standIn.url)
        let body = #"{"model":"silent","stream":false}"#
        try await waiting.sendRequest("POST", "/api/pull", body: body)
        try await eventually { standIn.pullsInFlight == 3 }
        let idle = try RawClient(standIn.url)
        _ = try await idle.body(of: try await idle.request("GET", "/api/version"))

        standIn.stop()
        standIn.stop()
        #expect(standIn.pullsInFlight == 0)
        #expect(try await streaming.rest().last == .closed)
        #expect(try await silent.rest().last == .closed)
        await #expect(throws: (any Error).self) { try await waiting.head() }
        // Another test's may have the port by now, but that one doesn't know the model, and says so.
        let other = try? RawClient(standIn.url)
        if let other, (try? await other.request("POST", "/api/pull", body: #"{"model":"silent"}"#)) != nil {
            _ = try await other.rest()
        }
    }

    @Test func aStandInThatIsLetGoStops() async throws {
        var standIn: OllamaStandIn? = try OllamaStandIn(models: [slow()])
        let client = try RawClient(try #require(standIn).url)
        _ = try await client.request("POST", "/api/pull", body: Self.demo)
        standIn = nil
        #expect(try await client.rest().last == .closed)
    }

    @Test func manyClientsAreServedAtOnce() async throws {
        let standIn = try OllamaStandIn(models: [slow()])
        var clients: [RawClient] = []
        for _ in 0..<32 {
            let client = try RawClient(standIn.url)
            _ = try await client.request("POST", "/api/pull", body: Self.demo)
            clients.append(client)
        }
        #expect(standIn.pullsInFlight == 32)
        for client in clients { try await client.hangUp() }
        try await eventually { standIn.pullsInFlight == 0 }
    }

    @Test func aTakenPortIsAnErrorThatSaysSo() throws {
        let first = try OllamaStandIn(models: [])
        let port = try #require(first.url.split(separator: ":").last.flatMap { UInt16($0) })
        let error = #expect(throws: OllamaStandIn.StartError.self) { try OllamaStandIn(models: [], port: port) }
        #expect(error?.description.contains("127.0.0.1:\(port)") == true)
    }

    @Test func aModelWithAnInvalidNameIsRefused() {
        #expect(throws: OllamaStandIn.StartError.self) { try OllamaStandIn(models: [quick("../etc")]) }
    }

    @Test func onlyTheNewestRequestsAreRemembered() {
        let activity = Activity()
        for number in 0...Activity.requestsRemembered { activity.sawRequest("GET /\(number)") }
        #expect(activity.requestsSeen.count == Activity.requestsRemembered)
        #expect(activity.requestsSeen.first == "GET /1")
    }
}
