import Foundation
import TestSockets
import Testing

struct DemoCommandTests {
    @Test func servingItKeepsOperationsOfEachKindGoingUntilASignal() async throws {
        let folder = TemporaryFolder()
        let process = try WizardProcess(["demo", "--serve", "--data", folder.path])
        let line = try #require(await process.firstLine { $0.contains("http://127.0.0.1:") })
        let port = try #require(Int(line.drop { $0 != "1" }.drop { $0 != ":" }.dropFirst().prefix { $0.isNumber }))
        let kinds = ["pull_model", "download", "process", "install"]
        let events = try await TestClient.talk(to: port) { client in
            try client.send("GET /api/ports/operations/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            _ = try client.readHead()
            return try client.readChunks { text in kinds.allSatisfy { text.contains("\"operation_type\":\"\($0)\"") } }
        }
        for kind in kinds { #expect(events.contains("\"operation_type\":\"\(kind)\"")) }
        process.send(SIGTERM)
        let outcome = await process.outcome()
        #expect(outcome.code == 0 && !outcome.wasKilled)
        #expect(outcome.errors == "")
    }
}
