import Foundation
import OperationTracking
import TestSupport
import Testing

@testable import OperationHistorySQLite

/// What several processes do to one file, with real processes and real kills.
@Suite(.serialized) struct SeveralProcessesTests {
    let directory = TemporaryDirectory()

    init() throws {
        try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
    }

    @Test func twoThatWriteAtOnceLoseNothing() async throws {
        let tools = try (0..<2).map { try ChildProcess.writer([directory.path, "write", "400"], output: output($0)) }
        try await eventually("both have ended") { tools.allSatisfy { $0.status != nil } }
        #expect(tools.map(\.status) == [0, 0])
        let acknowledged = try (0..<2).flatMap(acknowledged)
        #expect(acknowledged.count == 800)
        let store = try await directory.open()
        for id in acknowledged { #expect(try await store.record(id)?.operation.status == .completed, "\(id)") }
        #expect(try await store.statistics(types: nil).map(\.completed) == [800])
        #expect(try directory.integer("SELECT count(*) FROM audit") == 1600)
        await store.close()
    }

    @Test func aKillAtAnyMomentLosesNothingThatWasAcknowledged() async throws {
        let rounds = 25
        var acknowledgedCount = 0
        for number in 0..<rounds {
            // Two kills a round, so that one's recovery meets the other's work.
            let tools = try (0..<2).map {
                try ChildProcess.writer([directory.path, "write", "100000"], output: output($0))
            }
            let some = Int.random(in: 1...200)
            try await eventually("it has written") { try acknowledged(0).count >= some }
            for tool in tools { tool.end() }
            let ids = try (0..<2).flatMap(acknowledged)
            acknowledgedCount += ids.count

            let store = try await directory.open()
            for id in ids {
                let status = try await store.record(id)?.operation.status
                try #require(status == .completed, "\(id) after round \(number)")
            }
            var open = HistoryQuery()
            open.statuses = [.pending, .inProgress, .paused]
            #expect(try await store.page(open).records.isEmpty)
            await store.close()
        }
        #expect(acknowledgedCount >= rounds)
        #expect(try directory.integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'") == 1)
        let ended = try directory.integer("SELECT count(*) FROM operations WHERE status IN ('completed', 'failed')")
        #expect(try directory.integer("SELECT count(*) FROM operations") == ended)
        #expect(try directory.integer("SELECT sum(count) FROM statistics WHERE day = 'all'") == ended)
    }

    @Test func anOperationOfAKilledProcessIsInterruptedWhileOthersLive() async throws {
        let store = try await directory.open()
        let tool = try ChildProcess.writer([directory.path, "hold", "in_progress"], output: output(0))
        try await eventually("it holds an operation") { try acknowledged(0).count == 1 }
        let id = try #require(try acknowledged(0).first)
        #expect(try await store.recover() == 0)
        #expect(try await store.record(id)?.operation.status == .inProgress)
        tool.end()
        #expect(try await store.recover() == 1)
        #expect(try await store.record(id)?.operation.failure?.code == .interrupted)
        await store.close()
    }

    private func output(_ number: Int) -> String { "\(directory.path)/output-\(number)" }

    /// The ids that a tool has reported; the last line may be cut off.
    private func acknowledged(_ number: Int) throws -> [OperationID] {
        guard let text = try? String(contentsOfFile: output(number), encoding: .utf8) else { return [] }
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().compactMap {
            OperationID(rawValue: String($0))
        }
    }
}
