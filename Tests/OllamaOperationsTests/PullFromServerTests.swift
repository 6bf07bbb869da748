import Foundation
import OllamaStandIn
import OperationTracking
import OperationTrackingTesting
import OperationTransfer
import TestSockets
import Testing

@testable import OllamaOperations

/// Pulls over real sockets, from the stand-in and from servers that misbehave.
struct PullFromServerTests {
    private let transport = CurlTransport()

    private func pull(
        _ model: String = "demo",
        from address: String,
        retry: RetryPolicy = .never,
        apiKey: String? = nil
    ) async throws -> BackgroundOperation {
        let tracker = OperationTracker()
        let client = OllamaClient(address: try OllamaAddress(address), apiKey: apiKey, transport: transport)
        let running = try await OperationRunner(tracker: tracker)
            .submit(.init(model: model), to: PullModelProvider(client: client), options: .init(retry: retry))
        _ = try? await running.output
        return try #require(tracker.operation(running.id))
    }

    private func standIn(_ faults: [Fault] = []) throws -> OllamaStandIn {
        try OllamaStandIn(models: [
            ScriptedModel(
                name: "demo",
                bytes: 30_000_000,
                link: .steady(100_000_000),
                registryLatency: .zero,
                faults: faults
            )
        ])
    }

    @Test func aPullSucceedsAndItsModelIsThere() async throws {
        let ollama = try standIn()
        let operation = try await pull(from: ollama.url)
        #expect(operation.status == .completed)
        #expect(operation.progress.completedUnits >= 30_000_000)
        let client = OllamaClient(address: try OllamaAddress(ollama.url), transport: transport)
        #expect(try await client.models().map(\.name) == ["demo:latest"])
        #expect(try await client.version() == "0.32.15")
    }

    @Test func aCutPullIsTriedAgainAndGoesOn() async throws {
        let ollama = try standIn([Fault(.cut(afterBytes: 10_000_000), times: 2)])
        let operation = try await pull(from: ollama.url, retry: RetryPolicy(baseDelay: .milliseconds(1)))
        #expect(operation.status == .completed)
        #expect(operation.attempt == 3)
        #expect(operation.progress.rewoundUnits == 0)
    }

    @Test func aServersOwnFaultIsTriedAgain() async throws {
        let ollama = try standIn([Fault(.status(503, body: #"{"error":"busy"}"#), times: 1)])
        let operation = try await pull(from: ollama.url, retry: RetryPolicy(baseDelay: .milliseconds(1)))
        #expect(operation.status == .completed)
        #expect(operation.attempt == 2)
    }

    @Test func aMissingModelIsNotTriedAgain() async throws {
        let ollama = try standIn()
        let operation = try await pull("nobody", from: ollama.url, retry: RetryPolicy(baseDelay: .milliseconds(1)))
        #expect(operation.failure?.code == .notFound)
        #expect(operation.attempt == 1)
    }

    @Test func cancellingClosesTheConnection() async throws {
        let ollama = try OllamaStandIn(models: [
            ScriptedModel(name: "demo", bytes: 30_000_000, link: .steady(1_000_000), registryLatency: .zero)
        ])
        let tracker = OperationTracker()
        let client = OllamaClient(address: try OllamaAddress(ollama.url), transport: transport)
        let events = tracker.events()
        let running = try await OperationRunner(tracker: tracker).submit(
            .init(model: "demo"),
            to: PullModelProvider(client: client)
        )
        for await event in events where (event.operation?.progress.completedUnits ?? 0) > 0 { break }
        #expect(ollama.pullsInFlight == 1)
        try await tracker.cancel(running.id)
        await #expect(throws: CancellationError.self) { try await running.output }
        #expect(tracker.operation(running.id)?.status == .cancelled)
        while ollama.pullsInFlight > 0 { await briefPause() }
    }

    @Test func pausingClosesTheConnectionAndResumingGoesOnWhereItWas() async throws {
        // The first answer stands still half-way, so that it can't be over before it is paused.
        let ollama = try standIn([Fault(.hang(afterBytes: 10_000_000), times: 1)])
        let tracker = OperationTracker()
        let client = OllamaClient(address: try OllamaAddress(ollama.url), transport: transport)
        let events = tracker.events()
        let runner = OperationRunner(tracker: tracker)
        let running = try await runner.submit(.init(model: "demo"), to: PullModelProvider(client: client))
        for await event in events where (event.operation?.progress.completedUnits ?? 0) > 0 { break }
        try await tracker.pause(running.id)
        while tracker.operation(running.id)?.status != .paused { await briefPause() }
        while ollama.pullsInFlight > 0 { await briefPause() }
        let paused = try #require(tracker.operation(running.id))
        #expect(paused.progress.completedUnits > 0)
        try await tracker.resume(running.id)
        #expect(try await running.output.bytes >= 30_000_000)
        let operation = try #require(tracker.operation(running.id))
        #expect(operation.progress.rewoundUnits == 0)
        #expect(operation.attempt == 1)
        #expect(ollama.requestsSeen.count == 2)
    }

    @Test(arguments: [
        (Fault.Kind.rawThenCut(Array("{\"status\":\"pulling manifest\"}\n".utf8)), "connection_lost"),
        (.raw(Array("{\"status\":\"pulling manifest\"}\n".utf8)), "connection_lost"),
        (.raw([]), "connection_lost"),
        (.status(404, body: "404 page not found"), "not_found"),
        (.status(401, body: "{}"), "unauthorized"),
        (.status(429, body: "{}"), "rate_limited"),
        (.status(418, body: "<html>"), "protocol_error"),
        (.error(afterBytes: 5_000_000, message: "something new"), "pull_failed"),
    ])
    func whatGoesWrongIsAFailureThatSaysWhatToDo(_ fault: Fault.Kind, _ code: String) async throws {
        let ollama = try standIn([Fault(fault)])
        let failure = try #require(try await pull(from: ollama.url).failure)
        #expect(failure.code.rawValue == code)
        #expect(failure.message.hasSuffix("."))
        #expect(failure.message.count > 40)
    }

    @Test func aLineWithoutEndIsNotReadToItsEnd() async throws {
        let ollama = try standIn([Fault(.raw(Array(repeating: UInt8(ascii: "x"), count: 10_000_000)))])
        #expect(try await pull(from: ollama.url).failure?.code == .protocolError)
    }

    @Test func linesThatMakeNoSenseAreWarningsAndTheLastLineDecides() async throws {
        let lines = ["[]", "\u{FEFF}?", #"{"digest":"sha256:a","total":-1}"#, #"{"status":"success"}"#]
        let ollama = try standIn([Fault(.raw(Array(lines.joined(separator: "\r\n").utf8)))])
        let tracker = OperationTracker()
        let client = OllamaClient(address: try OllamaAddress(ollama.url), transport: transport)
        let running = try await OperationRunner(tracker: tracker).submit(
            .init(model: "demo"),
            to: PullModelProvider(client: client)
        )
        #expect(try await running.output.warnings == 3)
    }

    @Test func nothingListening() async throws {
        let failure = try #require(try await pull(from: "127.0.0.1:1").failure)
        #expect(failure.code == .connectionRefused)
        #expect(failure.message.contains("ollama serve"))
    }

    @Test func anUnknownHost() async throws {
        // Longer than a label may be, so that no resolver is asked.
        let host = String(repeating: "a", count: 64) + ".invalid"
        let failure = try #require(try await pull(from: host).failure)
        #expect(failure.code == .hostNotFound)
    }

    @Test(arguments: ["", "a\u{0}b", "a\nb", "with space", String(repeating: "x", count: 10_000), "\u{1B}[31m"])
    func aNameThatIsNoNameIsRefusedBeforeAnythingIsSent(_ name: String) async throws {
        let ollama = try standIn()
        let error = await #expect(throws: OperationError.self) { try await pull(name, from: ollama.url) }
        #expect(error?.code == .invalidValue)
        #expect(ollama.requestsSeen.isEmpty)
    }

    @Test func signedLinksLoseTheirSignatureInMessages() {
        let text = #"Get "https://user:pw@cdn.example/blob?X-Amz-Signature=secret&x=1": EOF"#
        let message = PullFailure.failure(text: text).message
        #expect(!message.contains("secret"))
        #expect(!message.contains("pw"))
        #expect(message.contains("https://cdn.example/blob?…\": EOF"))
    }
}
