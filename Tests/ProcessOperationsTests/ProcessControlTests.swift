import Foundation
import OperationTracking
import OperationTrackingTesting
import TestSupport
import Testing

@testable import ProcessOperations

struct ProcessControlTests {
    private let runs = Runs()

    /// A command whose processes say their ids, once all of them run.
    private func startFamily(_ script: String) async throws -> (SubmittedOperation<ProcessProvider.Output>, [Int32]) {
        let running = try await runs.start(script)
        let operation = try await runs.operation(running.id) { $0.message?.hasPrefix("pids ") == true }
        let pids = try #require(operation.message).split(separator: " ").dropFirst().compactMap { Int32($0) }
        return (running, pids)
    }

    @Test func aCancelledCommandHasReallyEndedWithItsChildren() async throws {
        let (running, pids) = try await startFamily("sleep 1000 & a=$!; sleep 1001 & echo pids $$ $a $!; wait")
        #expect(pids.count == 3 && pids.allSatisfy(SystemProcess.isAlive))
        _ = try await runs.operation(running.id) { $0.pid == pids[0] }
        try await runs.tracker.cancel(running.id)
        await #expect(throws: CancellationError.self) { try await running.output }
        #expect(runs.tracker.operation(running.id)?.status == .cancelled)
        #expect(!pids.contains(where: SystemProcess.isAlive))
    }

    @Test func aCommandThatEndsWellWhenAskedToIsCancelledAllTheSame() async throws {
        let running = try await runs.start("trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done")
        try await runs.operation(running.id, says: "ready")
        try await runs.tracker.cancel(running.id)
        await #expect(throws: CancellationError.self) { try await running.output }
        #expect(runs.tracker.operation(running.id)?.status == .cancelled)
    }

    @Test func aCommandThatDoesNotListenIsKilledAfterTheGrace() async throws {
        let clock = ManualClock()
        let tracker = OperationTracker(clock: clock)
        let request = ProcessProvider.Request(
            command: ["sh", "-c", "trap '' TERM; echo $$; while :; do sleep 0.01; done"],
            progress: .none
        )
        let running = try await OperationRunner(tracker: tracker).submit(request, to: ProcessProvider())
        let pid = try await eventually("its id is printed") {
            tracker.operation(running.id)?.message.flatMap { Int32($0) }
        }
        // The ticker sleeps on this clock too.
        await clock.waitForSleepers(1)
        try await tracker.cancel(running.id)
        await clock.waitForSleepers(2)
        #expect(SystemProcess.isAlive(pid))
        #expect(tracker.operation(running.id)?.status == .inProgress)
        #expect(tracker.operation(running.id)?.pendingRequest == .cancel)
        await clock.advance(by: .seconds(5))
        await #expect(throws: CancellationError.self) { try await running.output }
        #expect(tracker.operation(running.id)?.status == .cancelled)
        #expect(!SystemProcess.isAlive(pid))
    }

    @Test func aPausedCommandIsStoppedAndAResumedOneRuns() async throws {
        let (running, pids) = try await startFamily("sleep 1000 & echo pids $$ $!; wait; echo over")
        try await runs.tracker.pause(running.id)
        _ = try await runs.operation(running.id) { $0.status == .paused }
        #expect(SystemProcess.state(pids[0]) == "T")
        _ = try await runs.operation(running.id) { _ in SystemProcess.state(pids[1]) == "T" }
        try await runs.tracker.resume(running.id)
        _ = try await runs.operation(running.id) { _ in pids.allSatisfy { SystemProcess.state($0) == "S" } }
        kill(pids[1], SIGKILL)
        #expect(try await running.output.outputTail.hasSuffix("over\n"))
    }

    @Test func aPausedCommandIsCancelled() async throws {
        let (running, pids) = try await startFamily("sleep 1000 & echo pids $$ $!; wait")
        try await runs.tracker.pause(running.id)
        _ = try await runs.operation(running.id) { $0.status == .paused }
        try await runs.tracker.cancel(running.id)
        await #expect(throws: CancellationError.self) { try await running.output }
        #expect(!pids.contains(where: SystemProcess.isAlive))
    }

    @Test func aCommandThatIsKilledWhilePausedHasFailed() async throws {
        let (running, pids) = try await startFamily("echo pids $$; exec sleep 1000")
        try await runs.tracker.pause(running.id)
        _ = try await runs.operation(running.id) { $0.status == .paused }
        kill(pids[0], SIGKILL)
        await #expect(throws: OperationFailure.self) { try await running.output }
        #expect(runs.tracker.operation(running.id)?.failure?.code == .signalled)
    }

    @Test func aCommandThatSomeoneElseLetsGoOnCompletesWhenResumed() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let (running, pids) = try await startFamily("echo pids $$; while ! [ -e \(file) ]; do sleep 0.01; done")
        try await runs.tracker.pause(running.id)
        _ = try await runs.operation(running.id) { $0.status == .paused }
        try #require(FileManager.default.createFile(atPath: file, contents: nil))
        kill(-pids[0], SIGCONT)
        let paused = try await runs.operation(running.id) { $0.pid == nil && !SystemProcess.isAlive(pids[0]) }
        #expect(paused.status == .paused)
        try await runs.tracker.resume(running.id)
        _ = try await running.output
        #expect(runs.tracker.operation(running.id)?.status == .completed)
    }

    @Test func aCommandThatHasMadeAGroupOfItsOwnIsReachedToo() async throws {
        let (running, pids) = try await startFamily("timeout 1000 sh -c 'echo pids $PPID $$; sleep 1000; :' & wait")
        #expect(pids.count == 2 && getpgid(pids[1]) == pids[0])
        try await runs.tracker.pause(running.id)
        _ = try await runs.operation(running.id) { _ in pids.allSatisfy { SystemProcess.state($0) == "T" } }
        try await runs.tracker.cancel(running.id)
        await #expect(throws: CancellationError.self) { try await running.output }
        #expect(!pids.contains(where: SystemProcess.isAlive))
    }

    @Test func aCommandThatClosesItsOutputLastsAsLongAsItsProcess() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let (running, pids) = try await startFamily(
            "echo pids $$; exec >&- 2>&-; sleep 0.1; touch \(file); exec sleep 1000"
        )
        // It would not get there if the end of its output were taken for its own.
        _ = try await runs.operation(running.id) { _ in FileManager.default.fileExists(atPath: file) }
        #expect(runs.tracker.operation(running.id)?.status == .inProgress)
        kill(pids[0], SIGUSR1)
        let failure = await #expect(throws: OperationFailure.self) { try await running.output }
        #expect(failure?.message.contains("SIGUSR1") == true)
    }

    @Test(arguments: ["sleep 1000 &", "sleep 1000 > /dev/null 2>&1 &", "set -m; sleep 1000 &", "yes &"])
    func whatACommandLeavesBehindIsEndedWithIt(_ script: String) async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: file) }
        _ = try await runs.start("\(script) echo $! > \(file); exit 0").output
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let child = try #require(Int32(text.dropLast()))
        #expect(!SystemProcess.isAlive(child))
    }

    @Test func whatIsLeftAndDoesNotListenIsKilled() async throws {
        var runs = runs
        runs.provider.grace = .milliseconds(50)
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let deaf = "trap \"\" TERM; echo $$; touch \(file); while :; do sleep 0.01; done"
        let output = try await runs.start("sh -c '\(deaf)' & until [ -e \(file) ]; do sleep 0.01; done; exit 0").output
        let child = try #require(output.outputTail.split(separator: "\n").first.flatMap { Int32($0) })
        #expect(!SystemProcess.isAlive(child))
    }

    @Test func lastWordsOfAChildAreHeard() async throws {
        var runs = runs
        // It ends all the same as soon as nobody has the output open any more.
        runs.provider.drainTime = .seconds(600)
        let output = try await runs.start("(sleep 0.05; echo last words) & echo first").output
        #expect(output.outputTail == "first\nlast words\n")
    }

    @Test func manyRunAtOnceAndLeaveNoDescriptorBehind() async throws {
        _ = try await runs.start(["true"]).output
        let before = try OwnProcess.openDescriptors()
        var running: [SubmittedOperation<ProcessProvider.Output>] = []
        for number in 0..<50 { running.append(try await runs.start("sleep 0.1; echo \(number)")) }
        for (number, one) in running.enumerated() { #expect(try await one.output.outputTail == "\(number)\n") }
        // Those that other tests have open meanwhile go with them; a leak of one for each of fifty would stay.
        for _ in 0..<2000 where try OwnProcess.openDescriptors() > before + 20 {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(try OwnProcess.openDescriptors() <= before + 20)
    }
}
