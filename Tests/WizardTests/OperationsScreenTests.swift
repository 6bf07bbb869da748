import Foundation
import OperationTracking
import Testing

@testable import Wizard

/// How operations are shown: pure pictures of what is known.
struct OperationsScreenTests {
    private func operation(
        _ id: String,
        _ status: OperationStatus = .inProgress,
        parent: String? = nil
    ) throws -> BackgroundOperation {
        var operation = BackgroundOperation(
            id: try #require(OperationID(rawValue: id)),
            type: .pullModel,
            description: "Pull \(id)",
            status: status,
            createdAt: Date(timeIntervalSince1970: 1_000_000)
        )
        operation.parentID = parent.flatMap(OperationID.init(rawValue:))
        operation.progress = OperationProgress(percent: 50, completedUnits: 1 << 30, totalUnits: 2 << 30)
        operation.remaining = RemainingTime(expected: 70, low: 60, high: 90, basis: .rate)
        operation.phase = "downloading"
        return operation
    }

    private func board(_ operations: [BackgroundOperation]) -> OperationBoard {
        var board = OperationBoard()
        board.url = "http://127.0.0.1:8765"
        board.take(.snapshot(operations))
        return board
    }

    private func screen(_ width: Int, _ height: Int = 24) -> OperationsScreen {
        OperationsScreen(width: width, height: height, usesColour: false)
    }

    @Test func aServerThatDoesNotAnswerIsNotSaidToBeGone() {
        var board = OperationBoard()
        #expect(screen(80).lines(board)[0].hasSuffix("no server runs"))
        board.silent = "http://127.0.0.1:8765"
        #expect(screen(80).lines(board)[0].hasSuffix("http://127.0.0.1:8765 doesn't answer"))
    }

    @Test(arguments: [100, 80, 40, 20, 5])
    func noLineIsWiderThanTheTerminal(_ width: Int) throws {
        var board = board([
            try operation("op_a"), try operation("op_b", .paused), try operation("op_c", parent: "op_a"),
        ])
        board.take(.operation(try operation("op_d", .completed), .finished(durable: true)))
        for line in screen(width).lines(board) where width >= 20 {
            #expect(line.columns <= width, "\(line)")
        }
        #expect(screen(width, 4).lines(board).count <= 4)
    }

    @Test(arguments: [100, 80, 40])
    func everyOperationHasABar(_ width: Int) throws {
        let lines = screen(width).lines(board([try operation("op_a"), try operation("op_b", .paused)]))
        #expect(lines.count { $0.contains("█") && $0.contains("50 %") } == 2)
        #expect(lines.count { $0.contains("paused") } == 2)
        #expect(lines.contains { $0.contains("1 running, 1 paused") })
    }

    @Test func whatAnotherProgramRunsHasABarAsWell() throws {
        var board = OperationBoard()
        board.take(
            history: [OperationRecord(operation: try operation("op_a"))],
            at: Date(timeIntervalSince1970: 1_000_000)
        )
        let lines = screen(100).lines(board)
        #expect(lines.count { $0.contains("█") && $0.contains("50 %") && $0.contains("in another program") } == 1)
    }

    @Test func whatDoesNotFitIsCounted() throws {
        let lines = screen(80, 10).lines(board(try (1...9).map { try operation("op_\($0)") }))
        #expect(lines.count <= 10)
        #expect(lines.contains("… and 6 more"))
    }

    @Test func partsStandUnderTheirWhole() throws {
        let rows = board([try operation("op_a"), try operation("op_b"), try operation("op_c", parent: "op_a")]).rows
        #expect(rows.map(\.operation.id.rawValue) == ["op_a", "op_c", "op_b"])
        #expect(rows.map(\.depth) == [0, 1, 0])
    }

    @Test func whatHasEndedIsNotBroughtBackByAnOlderLook() throws {
        var board = board([try operation("op_a")])
        board.take(.operation(try operation("op_a", .failed), .finished(durable: true)))
        let records = [try operation("op_a"), try operation("op_b")].map(OperationRecord.init)
        board.take(history: records, at: Date(timeIntervalSince1970: 1_000_000))
        #expect(board.rows.map(\.operation.id.rawValue) == ["op_b"])
        #expect(board.rows.map(\.isOthers) == [true])
        #expect(board.ended.map(\.status) == [.failed])
    }

    @Test func howLongAnotherProgramsWorkStillTakesHasComeNearerSinceItWasWritten() throws {
        var (board, written) = (board([try operation("op_a")]), try operation("op_b"))
        (written.startedAt, written.activeSeconds) = (written.createdAt, 0)
        board.take(history: [OperationRecord(operation: written)], at: written.createdAt.addingTimeInterval(20))
        #expect(board.rows.map { $0.operation.remaining?.expected } == [70, 50])
        #expect(board.rows.map { $0.operation.remaining?.high } == [90, 90])
    }

    @Test func wideCharactersCountTwice() {
        #expect("漢字".columns == 4 && "e\u{301}".columns == 1 && "🚀".columns == 2 && "a–b".columns == 3)
        #expect("漢字漢字".truncated(to: 6) == "漢字…")
        #expect("abc".padded(to: 5) == "abc  " && "漢".padded(to: 3) == "漢 ")
    }

    @Test func anOperationIsReadAsItWasSent() throws {
        var sent = try operation("op_a", .failed, parent: "op_b")
        sent.failure = OperationFailure(.init(rawValue: "disk_full"), "The disk is full.")
        sent.resources = ResourceImpact(cpuPercent: 12.5, memoryBytes: 3 << 20, networkBitsPerSecond: 8_000_000)
        sent.startedAt = Date(timeIntervalSince1970: 1_000_000.25)
        sent.activeSeconds = 2.5
        sent.progress.rewoundUnits = 1 << 20
        var read = try Wire.read(WireOperation.self, from: sent.jsonBytes()).operation
        // This alone isn't sent.
        read.progress.presentUnits = sent.progress.presentUnits
        #expect(read == sent)
    }
}
