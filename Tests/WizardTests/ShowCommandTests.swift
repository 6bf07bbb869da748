import Foundation
import OperationTracking
import TestSockets
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@testable import Wizard

struct ShowCommandTests {
    private func lines(_ unit: OperationUnit) async throws -> [String: String] {
        let history = InMemoryHistoryStore()
        let tracker = OperationTracker(history: history)
        let handle = try tracker.start(type: .install, description: "work", total: 1_000, unit: unit)
        if unit == .fraction { handle.update(fraction: 1) } else { handle.update(completed: 1_000) }
        try await tracker.fail(handle.id, OperationFailure(.timeout, "too late"))
        let record = try #require(try await history.record(handle.id))
        return Dictionary(ShowCommand.lines(record)) { $1 }
    }

    @Test func oneHundredPercentIsNotSaidOfWhatFailedAfterAllItsWork() async throws {
        let share = try await lines(.fraction)
        #expect(share["progress"] == "99.99 %")
        #expect(share["done"] == nil)
        let items = try await lines(.items)
        #expect(items["progress"] == "99.99 %")
        #expect(items["done"] == "1000 of 1000")
    }

    @Test func ofWorkThatNobodySawEndItsTimeIsSaidToBeMore() throws {
        let id = try #require(OperationID(rawValue: "op_a"))
        var operation = BackgroundOperation(
            id: id,
            type: .install,
            description: "work",
            status: .failed,
            createdAt: Date(timeIntervalSince1970: 0)
        )
        operation.activeSeconds = 20
        let times = [OperationFailure.Code.interrupted, .timeout].map { code in
            operation.failure = OperationFailure(code, "over")
            return ShowCommand.lines(OperationRecord(operation: operation)).first { $0.0 == "time" }?.1
        }
        #expect(times == ["over 20s", "20s"])
    }

    @Test func aServerIsAskedHowFarItIsByNow() async throws {
        let folder = TemporaryFolder()
        let process = try WizardProcess([
            "run", "--json", "--data", folder.path, "--", "sh", "-c", "echo ready; exec sleep 1000",
        ])
        let line = try #require(await process.firstLine { $0.contains("\"message\":\"ready\"") })
        var fields = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        let id = try #require(fields["operation_id"] as? String)
        try await eventually("its row") {
            try await WizardProcess.run(["show", id, "--data", folder.path]).code == 0
        }
        fields["progress"] = 77.5
        fields["uptime_seconds"] = 12_345
        for key in ["eta_seconds", "eta_low_seconds", "eta_high_seconds"] { fields[key] = 50 }
        fields["eta_basis"] = "rate"
        let answer = String(decoding: try JSONSerialization.data(withJSONObject: fields), as: UTF8.self)
        let server = try TestServer { connection in
            while true {
                let line = try connection.readRequest().line
                let health = #"{"status": "ok", "reason": null, "active_operations": 1}"#
                try connection.answer(200, line.contains("/health") ? health : answer)
            }
        }
        try folder.recordServer(at: "http://127.0.0.1:\(server.port)")
        let shown = try await WizardProcess.run(["show", id, "--data", folder.path])
        for text in ["77.50 %", "3h 25m", "50s", "wizard run"] {
            #expect(shown.output.contains(text), "\(shown)")
        }
        let json = try await WizardProcess.run(["show", id, "--json", "--data", folder.path])
        #expect(try json.objects.first?["progress"] as? Double == 77.5)
        process.send(SIGINT)
        _ = await process.outcome()
    }
}
