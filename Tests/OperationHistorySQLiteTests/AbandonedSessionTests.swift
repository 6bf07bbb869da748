import Foundation
import OperationTracking
import TestSupport
import Testing

@testable import OperationHistorySQLite

/// What happens to the processes of an owner that is gone, with real processes.
@Suite struct AbandonedSessionTests {
    private let directory = TemporaryDirectory()

    /// A process that has written its children's ids to a file.
    private struct Family {
        let leader: ChildProcess
        let identity: ProcessIdentity
        let children: [Int32]

        init(_ script: String, in folder: String, shell: String = "/bin/sh", leading: Leadership = .session)
            async throws
        {
            let file = folder + "-pids"
            defer { unlink(file) }
            // Written under another name first, so that the file is whole as soon as it is there.
            let write = "echo $pids > '\(file).new'; mv '\(file).new' '\(file)'"
            leader = try ChildProcess(
                shell,
                ["-c", script.replacing("WRITE", with: write)],
                leading: leading,
                output: "/dev/null"
            )
            identity = try #require(ProcessIdentity(running: leader.pid))
            try await eventually("the family runs") { FileManager.default.fileExists(atPath: file) }
            let text = try String(contentsOfFile: file, encoding: .utf8)
            children = text.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
        }

        func end() {
            for child in children where SystemProcess.isAlive(child) { kill(child, SIGKILL) }
            leader.end()
        }
    }

    /// An operation that a family worked for until now.
    private func running(_ family: Family, lastSign: Date = .now) throws -> OperationRecord {
        var running = try record("a", .inProgress)
        running.processGroup = family.identity
        running.operation.updatedAt = lastSign
        return running
    }

    private func recover(
        _ record: OperationRecord,
        space: String? = nil,
        grace: Duration = .milliseconds(200)
    ) async throws {
        try await directory.leaveBehind([record], space: space)
        let store = try await directory.open { $0.terminationGrace = grace }
        #expect(try await store.status("a") == .failed)
        await store.close()
    }

    @Test(arguments: [
        ("WRITE; exec sleep 1000", SIGTERM, Leadership.session), ("WRITE; exec sleep 1000", SIGTERM, .group),
        ("trap '' TERM; WRITE; while true; do sleep 0.1; done", SIGKILL, .session),
        ("trap '' TERM; WRITE; while true; do sleep 0.1; done", SIGKILL, .group),
    ])
    func aLeaderIsAskedToEndAndThenKilled(script: String, signal: Int32, leading: Leadership) async throws {
        let family = try await Family("pids=$$; \(script)", in: directory.path, leading: leading)
        defer { family.end() }
        // A leader that is there is proof enough, whenever the row was written.
        // One that does what it is asked to is given the time for it, however slow the machine is.
        try await recover(
            running(family, lastSign: Date(milliseconds: 0)),
            grace: signal == SIGTERM ? Patience.deadline : .milliseconds(200)
        )
        try await eventually("the process has ended") { family.leader.endingSignal == signal }
    }

    @Test func whatHasMadeAGroupOfItsOwnIsEndedToo() async throws {
        let family = try await Family(
            "set -m; sleep 1000 & pids=$!; WRITE; wait",
            in: directory.path,
            shell: "/bin/bash"
        )
        defer { family.end() }
        #expect(family.children.count == 1 && getpgid(family.children[0]) == family.children[0])
        try await recover(running(family))
        #expect(!family.children.contains(where: SystemProcess.isAlive))
        try await eventually("the leader has ended") { family.leader.status != nil }
    }

    @Test(arguments: [
        "sleep 1000 & pids=$!; WRITE;",
        "(trap '' TERM; pids=$BASHPID; WRITE; while true; do sleep 0.1; done) &",
    ])
    func whatALeaderThatIsGoneLeftInAnyGroupIsEnded(script: String) async throws {
        let family = try await Family("set -m; \(script) exit 0", in: directory.path, shell: "/bin/bash")
        defer { family.end() }
        try await eventually("the leader is gone") { family.leader.status != nil }
        #expect(family.children.count == 1 && family.children.allSatisfy(SystemProcess.isAlive))
        try await recover(running(family))
        #expect(!family.children.contains(where: SystemProcess.isAlive))
    }

    @Test func whatDiesWhileAnotherIsClearedUpAfterIsClearedUpAfterNext() async throws {
        let asked = directory.path + "-asked"
        defer { unlink(asked) }
        let stubborn = try await Family(
            "trap 'touch \(asked)' TERM; pids=$$; WRITE; while true; do sleep 0.05; done",
            in: directory.path
        )
        let other = try await Family("pids=$$; WRITE; exec sleep 1000", in: directory.path + "-other")
        defer {
            stubborn.end()
            other.end()
        }
        try await directory.leaveBehind([running(stubborn)])
        async let opening = directory.open { $0.terminationGrace = .seconds(2) }
        try await eventually("the first is being ended") { FileManager.default.fileExists(atPath: asked) }
        var second = try record("b", .inProgress)
        second.processGroup = other.identity
        second.operation.updatedAt = .now
        try await directory.leaveBehind([second])
        let store = try await opening
        #expect(try await store.status("a") == .failed)
        #expect(try await store.recover() == 1)
        #expect(try await store.status("b") == .failed)
        try await eventually("the other has ended") { other.leader.status != nil }
        await store.close()
    }

    @Test func whatBeganOnlyAfterTheLastSignOfLifeIsNotTouchedWithoutItsLeader() async throws {
        let family = try await Family("sleep 1000 & pids=$!; WRITE; exit 0", in: directory.path)
        defer { family.end() }
        try await eventually("the leader is gone") { family.leader.status != nil }
        // As though the number had been given to another session since.
        var earlier = try running(family, lastSign: Date.now.addingTimeInterval(-100))
        earlier.processGroup?.startTime = 1
        try await recover(earlier)
        #expect(family.children.count == 1 && family.children.allSatisfy(SystemProcess.isAlive))
    }

    @Test func anotherProcessWithTheLeadersNumberIsNotTouched() async throws {
        let family = try await Family("pids=$$; WRITE; exec sleep 1000", in: directory.path)
        defer { family.end() }
        var earlier = try running(family, lastSign: Date.now.addingTimeInterval(-100))
        earlier.processGroup?.startTime -= 1
        try await recover(earlier)
        #expect(family.children.allSatisfy(SystemProcess.isAlive))
    }

    @Test func whatWasRecordedInAnotherBootOrContainerIsNotTouched() async throws {
        let family = try await Family("pids=$$; WRITE; exec sleep 1000", in: directory.path)
        defer { family.end() }
        try await recover(running(family), space: "elsewhere")
        #expect(family.children.allSatisfy(SystemProcess.isAlive))
    }

    @Test func theOwnSessionIsNeverEnded() throws {
        for pid in [getsid(0), getpgrp(), 1] {
            let leader = ProcessIdentity(running: pid) ?? ProcessIdentity(pid: pid, startTime: 0)
            #expect(AbandonedSession(ledBy: leader, lastSign: .max) == nil)
        }
    }
}
