import Glibc
import OperationTracking
import OperationTrackingTesting
import Synchronization
import Testing

@testable import ServiceControl

@Suite("Freeing a port")
struct PortFreerTests {
    private static let docker = ProcessSupervisor(kind: .docker, unit: nil, isProxy: true, advice: "Use `docker stop`.")
    private static let systemd = ProcessSupervisor(kind: .systemd, unit: "web.service", advice: "Use `systemctl stop`.")

    /// Frees port 80, with the clock moved whenever somebody waits.
    private func free(
        _ system: ScriptedPorts,
        expecting expected: ExpectedHolders = .any,
        sparing spared: Set<Int32> = []
    ) async throws -> FreedPort {
        let clock = ManualClock()
        let freer = PortFreer(system: system, clock: clock, grace: .seconds(5))
        let isDone = Mutex(false)
        let work = Task {
            defer { isDone.withLock { $0 = true } }
            return try await freer.free(80, expecting: expected) { use in
                use.holders.filter { spared.contains($0.identity.pid) }
            } onSignal: { _, _ in
            }
        }
        while !isDone.withLock({ $0 }) {
            clock.advanceToNextSleeper()
            await briefPause()
        }
        return try await work.value
    }

    private func refusal(_ system: ScriptedPorts) async throws -> ServiceError {
        let error = try #require(await #expect(throws: ServiceError.self) { try await free(system) })
        return error
    }

    private func system(_ body: (inout ScriptedPorts.State) -> Void = { _ in }) -> ScriptedPorts {
        ScriptedPorts { state in
            state.listen(80, inode: 7)
            state.onSignal = { state, signal in state.end(signal.pid) }
            body(&state)
        }
    }

    @Test("whoever holds it in the place of the one that was seen is not ended")
    func another() async throws {
        let system = system { $0.add(50, has: [7]) }
        let error = await #expect(throws: ServiceError.self) {
            try await free(system, expecting: .just(SeenProcess(pid: 49)))
        }
        #expect(error?.code == .notPossible && system.signals.isEmpty)
        #expect(try await free(system, expecting: .just(SeenProcess(pid: 50))).ended.map(\.identity.pid) == [50])
    }

    @Test("where only those may be ended who were seen, one that came to them since is enough to end none")
    func stranger() async throws {
        let system = system {
            $0.add(50, has: [7])
            $0.add(60, "node", has: [7])
        }
        let error = await #expect(throws: ServiceError.self) {
            try await free(system, expecting: .only([SeenProcess(pid: 50)]))
        }
        #expect(error?.code == .notPossible && error?.message.contains("node (pid 60)") == true)
        // Nor is it one of theirs because all descend from the first process.
        await #expect(throws: ServiceError.self) {
            try await free(system, expecting: .only([SeenProcess(pid: 1), SeenProcess(pid: 50)]))
        }
        #expect(system.signals.isEmpty)
    }

    @Test("one that has the number of the one that was seen, and started later, is a stranger")
    func reusedNumber() async throws {
        let system = system { $0.add(50, "node", has: [7]) }
        let seen = SeenProcess(pid: 50, startTime: 499)
        let error = await #expect(throws: ServiceError.self) { try await free(system, expecting: .only([seen])) }
        #expect(error?.message.contains("node (pid 50)") == true && system.signals.isEmpty)
        let one = await #expect(throws: ServiceError.self) { try await free(system, expecting: .just(seen)) }
        #expect(one?.code == .notPossible && system.signals.isEmpty)
        let itself = SeenProcess(pid: 50, startTime: 500)
        #expect(try await free(system, expecting: .only([itself])).ended.count == 1)
    }

    @Test("nor does what it has forked stand for the one that was seen")
    func childOfReusedNumber() async throws {
        let system = system {
            $0.add(50)
            $0.add(51, parent: 50, has: [7])
        }
        let seen = SeenProcess(pid: 50, startTime: 499)
        await #expect(throws: ServiceError.self) { try await free(system, expecting: .only([seen])) }
        #expect(system.signals.isEmpty)
    }

    @Test("where one is named, it is ended with its children, and who has the port beside it is left alone")
    func onlyTheOne() async throws {
        let system = system { state in
            state.add(50, has: [7])
            state.add(51, parent: 50, has: [7])
            state.listen(80, inode: 8)
            state.add(60, "node", has: [8])
            state.onSignal = { state, _ in [50, 51].forEach { state.end($0) } }
        }
        let freed = try await free(system, expecting: .just(SeenProcess(pid: 50)))
        #expect(freed.ended.map(\.identity.pid) == [50])
        #expect(freed.left.map(\.identity.pid) == [60] && freed.leftText == "node (pid 60)")
        #expect(system.signals == [.init(pid: 50, number: SIGTERM)])
    }

    @Test("one that is spared keeps even the very socket, and what it forks meanwhile is spared, too")
    func spared() async throws {
        let system = system { state in
            state.add(50, has: [7])
            state.add(60, "node", has: [7])
            state.onSignal = { state, signal in
                state.add(61, "node", parent: 60, has: [7])
                if signal.number == SIGKILL { state.end(signal.pid) }
            }
        }
        let freed = try await free(system, sparing: [60])
        #expect(freed.ended.map(\.identity.pid) == [50] && freed.wasForced)
        #expect(freed.left.map(\.identity.pid) == [60, 61] && freed.leftText == "node (pid 60) with 1 child")
        #expect(system.signals.allSatisfy { $0.pid == 50 })
    }

    @Test("a port that is held by nobody but those that are spared is left as it is")
    func onlySpared() async throws {
        let system = system { $0.add(60, has: [7]) }
        let freed = try await free(system, sparing: [60])
        #expect(freed.ended.isEmpty && freed.left.count == 1 && system.signals.isEmpty)
    }

    @Test("what those have forked since who were seen goes with them")
    func forkedSince() async throws {
        let system = system { state in
            state.add(50, has: [7])
            state.add(51, parent: 50)
            state.add(52, parent: 51, has: [7])
            state.onSignal = { state, _ in [50, 51, 52].forEach { state.end($0) } }
        }
        #expect(try await free(system, expecting: .only([SeenProcess(pid: 50)])).ended.map(\.identity.pid) == [50])
    }

    @Test("a process that ends has a socket for a moment longer than it is seen, and nobody is refused for that")
    func ending() async throws {
        let looks = Mutex(0)
        let system = system { state in
            state.onHolders = { state in
                let count = looks.withLock { count -> Int in
                    count += 1
                    return count
                }
                // Past the looks that are taken at once.
                if count == 7 { state.sockets = [] }
            }
        }
        #expect(try await free(system).ended.isEmpty)
        #expect(looks.withLock { $0 } >= 7)
    }

    @Test("one that is never seen is somebody's whom the system doesn't show")
    func neverSeen() async throws {
        let error = try await refusal(system())
        #expect(error.code == .notPermitted)
    }

    @Test("a process that follows SIGTERM is not ended by force")
    func terminate() async throws {
        let system = system { $0.add(50, has: [7]) }
        let freed = try await free(system)
        #expect(freed.ended.map(\.identity.pid) == [50])
        #expect(!freed.wasForced)
        #expect(system.signals == [.init(pid: 50, number: SIGTERM)])
    }

    @Test("a process that doesn't is asked once, and ended by force after the grace")
    func force() async throws {
        let system = system { state in
            state.add(50, has: [7])
            state.onSignal = { state, signal in if signal.number == SIGKILL { state.end(signal.pid) } }
        }
        #expect(try await free(system).wasForced)
        #expect(system.signals == [.init(pid: 50, number: SIGTERM), .init(pid: 50, number: SIGKILL)])
    }

    @Test("a process that can't be ended at all is said to be there")
    func unending() async throws {
        let system = system { state in
            state.add(50, has: [7])
            state.onSignal = { _, _ in }
        }
        #expect(try await refusal(system).code == .notEnded)
        #expect(system.signals.count == 2)
    }

    @Test("a free port needs nothing")
    func isFree() async throws {
        #expect(try await free(ScriptedPorts()).ended.isEmpty)
    }

    @Test("a process whose number was given to another before it is held gets nothing")
    func reusedBeforeHold() async throws {
        let system = system { state in
            state.add(50, has: [7])
            state.beforeHold = { state, pid in
                state.end(pid)
                state.add(pid, "innocent", has: [])
                state.processes[pid]?.identity.startTime = 4711
            }
        }
        #expect(try await free(system).ended.isEmpty)
        #expect(system.signals.isEmpty)
        #expect(system.process(50)?.name == "innocent")
    }

    @Test("nor does another user's that has by then the number and the same socket")
    func reusedByAnotherUser() async throws {
        let system = system { state in
            state.add(50, has: [7])
            state.beforeHold = { state, pid in
                state.add(pid, "innocent", user: 501, has: [7])
                state.processes[pid]?.identity.startTime = 4711
            }
        }
        #expect(try await refusal(system).code == .notEnded)
        #expect(system.signals.isEmpty)
    }

    @Test("nor does one that took the number after that, even if it holds the same socket")
    func reusedAfterHold() async throws {
        let system = system { state in
            state.add(50, has: [7])
            state.afterHold = { state, pid in
                state.processes[pid]?.identity.startTime = 4711
                state.processes[pid]?.name = "innocent"
                state.afterHold = { _, _ in }
                // It lets go of the socket soon.
                state.beforeHold = { state, pid in state.end(pid) }
            }
        }
        #expect(try await free(system).ended.isEmpty)
        #expect(system.signals.isEmpty)
    }

    @Test("a process that has let go of the port meanwhile gets nothing")
    func letGo() async throws {
        let system = system { state in
            state.add(50, has: [7])
            state.beforeHold = { state, pid in
                state.holders[pid] = []
                state.sockets = []
            }
        }
        #expect(try await free(system).ended.isEmpty)
        #expect(system.signals.isEmpty)
    }

    @Test("this program, those that have started it, and process 1 are never ended", arguments: [1000, 900, 1])
    func relatives(_ pid: Int32) async throws {
        let system = system { $0.holders[pid] = [7] }
        #expect(try await refusal(system).code == .notPermitted)
        #expect(system.signals.isEmpty)
    }

    @Test("one holder that may not be ended is enough to end none")
    func mixedHolders() async throws {
        let system = system { state in
            state.add(50, has: [7])
            state.holders[1000] = [7]
        }
        #expect(try await refusal(system).message.contains("itself"))
        #expect(system.signals.isEmpty)
    }

    @Test("a process of another user is named with its user")
    func otherUser() async throws {
        let system = system { $0.add(50, "nginx", user: 4242, has: [7]) }
        let error = try await refusal(system)
        #expect(error.code == .notPermitted)
        #expect(error.message.contains("nginx (pid 50) of user 4242"))
    }

    @Test("a process that another user has started for this one is that user's as well")
    func setUser() async throws {
        let system = system { state in
            state.add(50, has: [7])
            state.processes[50]?.realUserID = 4242
        }
        #expect(try await refusal(system).message.contains("user 4242"))
    }

    @Test("a holder that the system doesn't show is named by its socket's user")
    func hidden() async throws {
        let system = system { $0.sockets[0].userID = 4243 }
        let error = try await refusal(system)
        #expect(error.code == .notPermitted)
        #expect(error.message.contains("user 4243"))
    }

    @Test("a container's proxy is left alone, and the container named")
    func proxy() async throws {
        let system = system { $0.add(50, "docker-proxy", has: [7], supervisor: Self.docker) }
        let error = try await refusal(system)
        #expect(error.code == .supervised)
        #expect(error.message.contains("docker-proxy (pid 50), of docker. Use `docker stop`."))
        #expect(system.signals.isEmpty)
    }

    @Test("workers of another user go with the one that has forked them, which alone is asked")
    func foreignWorkers() async throws {
        let system = system { state in
            state.add(50, "nginx", has: [7])
            state.add(51, "nginx", parent: 50, user: 33, has: [7])
            state.add(52, "nginx", parent: 50, user: 33, has: [7])
            state.onSignal = { state, _ in for pid in [50, 51, 52] as [Int32] { state.end(pid) } }
        }
        #expect(try await free(system).ended.map(\.identity.pid) == [50])
        #expect(system.signals == [.init(pid: 50, number: SIGTERM)])
    }

    @Test("workers that outlive the first process are asked in turn")
    func leftWorkers() async throws {
        let system = system { state in
            state.add(50, has: [7])
            state.add(51, parent: 50, has: [7])
            state.onSignal = { state, signal in
                state.end(signal.pid)
                state.processes[51]?.parent = 1
            }
        }
        _ = try await free(system)
        #expect(system.signals == [.init(pid: 50, number: SIGTERM), .init(pid: 51, number: SIGTERM)])
    }

    @Test("what a supervisor starts again is not ended again, and the supervisor is named")
    func startedAgain() async throws {
        let system = system { state in
            state.add(50, has: [7], supervisor: Self.systemd)
            state.onSignal = { state, signal in
                state.end(signal.pid)
                state.listen(80, inode: 8)
                state.add(60, has: [8], supervisor: Self.systemd)
            }
        }
        let error = try await refusal(system)
        #expect(error.code == .takenAgain)
        #expect(error.message.contains("systemd (web.service)"))
        #expect(system.signals.map(\.pid) == [50])
    }

    @Test(
        "a process that can't be taken hold of is not taken for one that is gone",
        arguments: [EMFILE, ENOSYS, EPERM]
    )
    func notHeld(_ number: Int32) async throws {
        let system = system { state in
            state.add(50, has: [7])
            state.holdRefusal = number
        }
        let error = try await refusal(system)
        #expect(error.code == (number == EPERM ? .notPermitted : .system))
        #expect(error.message.contains("python3 (pid 50)") && error.message.contains(String(cString: strerror(number))))
    }

    @Test("what watches over one that was ended is said, with what to do about it")
    func supervisorIsSaid() async throws {
        let system = system { $0.add(50, has: [7], supervisor: Self.systemd) }
        let advice = try await free(system).supervisorAdvice
        #expect(advice == "python3 (pid 50) was of systemd (web.service). Use `systemctl stop`.")
        #expect(FreedPort(port: 80).supervisorAdvice == nil)
    }

    @Test("a system that refuses the signal is said to")
    func refused() async throws {
        let system = system { state in
            state.add(50, has: [7])
            state.refusal = EPERM
        }
        #expect(try await refusal(system).code == .notPermitted)
    }
}
