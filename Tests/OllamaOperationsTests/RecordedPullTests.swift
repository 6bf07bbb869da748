import Foundation
@testable import OllamaOperations
import OperationTracking
import OperationTransfer
import Testing

/// Every stream recorded from a real server, replayed through the provider.
struct RecordedPullTests {
    @Test func thereAreAsManyExpectationsAsRecordings() throws {
        let folder = try #require(Bundle.module.url(forResource: "Fixtures/pulls", withExtension: nil))
        let recordings = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(recordings.count == Expectation.all.count)
        #expect(recordings.count > 80)
    }

    @Test(arguments: Expectation.all)
    func asFastAsItGoes(_ expectation: Expectation) async throws {
        let replay = try await Replay(Recording(expectation.recording), atItsOwnPace: false)
        check(replay, expectation)
    }

    @Test(arguments: Expectation.all)
    func atItsOwnPace(_ expectation: Expectation) async throws {
        let recording = try Recording(expectation.recording)
        let replay = try await Replay(recording, atItsOwnPace: true)
        check(replay, expectation)
        let seconds = try #require(replay.operation.activeSeconds)
        #expect(abs(seconds - recording.head.stream_end_t) < 0.6, "the pull took its time")
        // Events come four times a second at most, so a phase shorter than that may go unseen; none comes out of order.
        let order = replay.phases.compactMap(expectation.phases.firstIndex)
        #expect(order.count == replay.phases.count && order == order.sorted())
    }

    @Test(arguments: Expectation.all)
    func phasesComeInTheirOrder(_ expectation: Expectation) throws {
        let recording = try Recording(expectation.recording)
        var progress = PullProgress()
        var phases = [progress.phase]
        for line in recording.lines where recording.head.http_status == 200 {
            _ = progress.take(Array(line.line.utf8))
            if phases.last != progress.phase { phases.append(progress.phase) }
        }
        #expect(phases.map(\.rawValue) == expectation.phases)
    }

    @Test(arguments: ["stalled_part", "stall_before_first_byte", "cdn_500_always", "slow_registry"])
    func silenceIsToldToPeople(_ name: String) async throws {
        let replay = try await Replay(Recording(name), atItsOwnPace: true)
        #expect(replay.messages.contains { $0.hasPrefix("Nothing has moved for 1") })
    }

    @Test(arguments: ["fresh_varying", "server_frozen_8s", "two_big_layers"])
    func aLivelyPullIsNotCalledSilent(_ name: String) async throws {
        let replay = try await Replay(Recording(name), atItsOwnPace: true)
        #expect(!replay.messages.contains { $0.hasPrefix("Nothing has moved") })
    }

    private func check(_ replay: Replay, _ expectation: Expectation) {
        let operation = replay.operation
        #expect(operation.status.rawValue == expectation.end)
        #expect(operation.failure?.code.rawValue ?? "" == expectation.code)
        #expect(operation.progress.completedUnits == expectation.bytes)
        #expect(operation.progress.totalUnits == expectation.total)
        #expect(operation.progress.rewoundUnits == expectation.rewound)
        #expect(operation.progress.presentUnits == expectation.present)
        #expect(operation.phase == expectation.phases.last)
        #expect(zip(replay.percents, replay.percents.dropFirst()).allSatisfy { $0 <= $1 }, "shown progress fell")
        #expect((operation.progress.percent == 100) == (expectation.end == "completed"))
        if !expectation.says.isEmpty, operation.failure?.code != .notFound || expectation.says.contains("exist") {
            #expect(operation.failure?.message.contains(expectation.says.prefix(20).replacing("'", with: "\"")) == true)
        }
        if expectation.end == "completed" {
            #expect(replay.output?.bytes == expectation.bytes)
            #expect(replay.output?.layers == expectation.layers)
            #expect(replay.output?.warnings == 0)
        }
        #expect(replay.record.operation == operation, "history keeps what was shown")
    }
}
