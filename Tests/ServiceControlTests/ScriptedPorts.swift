import Glibc
import OperationTracking
import Synchronization

@testable import ServiceControl

/// A system whose ports and processes a test makes up.
final class ScriptedPorts: ControlSystem {
    struct Signal: Hashable {
        var pid: Int32
        var number: Int32
    }

    struct State {
        var sockets: [ListeningSocket] = []
        var holders: [Int32: Set<UInt64>] = [:]
        var processes: [Int32: ProcessDetails] = [:]
        var signals: [Signal] = []
        /// What happens when a process is about to be held, just after that, and when a signal has come.
        var beforeHold: @Sendable (inout State, Int32) -> Void = { _, _ in }
        var afterHold: @Sendable (inout State, Int32) -> Void = { _, _ in }
        var onSignal: @Sendable (inout State, Signal) -> Void = { _, _ in }
        /// What happens after a look for holders.
        var onHolders: @Sendable (inout State) -> Void = { _ in }
        var refusal: Int32 = 0
        /// The errno with which processes can't be held; 0 where they can.
        var holdRefusal: Int32 = 0
        fileprivate var held: [ProcessIdentity] = []

        /// Adds a process that has a socket.
        mutating func add(
            _ pid: Int32,
            _ name: String = "python3",
            parent: Int32 = 1,
            user: UInt32 = 500,
            has inodes: Set<UInt64> = [],
            supervisor: ProcessSupervisor? = nil
        ) {
            processes[pid] = ProcessDetails(
                identity: ProcessIdentity(pid: pid, startTime: UInt64(pid) * 10),
                parent: parent,
                name: name,
                userID: user,
                realUserID: user,
                supervisor: supervisor
            )
            holders[pid] = inodes
        }

        /// Takes a process away, and the sockets that nobody has any more.
        mutating func end(_ pid: Int32) {
            processes[pid] = nil
            holders[pid] = nil
            let left = holders.values.reduce(into: Set<UInt64>()) { $0.formUnion($1) }
            sockets.removeAll { !left.contains($0.inode) }
        }

        mutating func listen(_ port: UInt16, inode: UInt64) {
            let address = IPAddress("127.0.0.1")
            guard let address else { return }
            sockets.append(ListeningSocket(address: address, port: port, userID: 500, inode: inode))
        }
    }

    let ownPID: Int32 = 1000
    let userID: UInt32 = 500
    private let state = Mutex(State())

    init(_ body: (inout State) -> Void = { _ in }) {
        change { state in
            state.add(1, "systemd", parent: 0, user: 0)
            state.add(900, "bash")
            state.add(1000, "wizard", parent: 900)
            body(&state)
        }
    }

    func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
    }

    var signals: [Signal] { state.withLock { $0.signals } }

    func listeners(port: UInt16?) -> [ListeningSocket] {
        state.withLock { $0.sockets.filter { port == nil || $0.port == port } }
    }

    func holders(of inodes: Set<UInt64>) -> [Int32: Set<UInt64>] {
        state.withLock { state in
            defer { state.onHolders(&state) }
            return state.holders.mapValues(inodes.intersection).filter { !$0.value.isEmpty }
        }
    }

    func sockets(of pid: Int32, among inodes: Set<UInt64>) -> Set<UInt64> {
        state.withLock { $0.holders[pid]?.intersection(inodes) ?? [] }
    }

    func process(_ pid: Int32) -> ProcessDetails? {
        state.withLock { $0.processes[pid] }
    }

    func identity(of pid: Int32) -> ProcessIdentity? {
        process(pid)?.identity
    }

    func hold(_ pid: Int32) -> ProcessHold {
        state.withLock { state in
            state.beforeHold(&state, pid)
            guard let process = state.processes[pid] else { return .gone }
            guard state.holdRefusal == 0 else { return .refused(state.holdRefusal) }
            state.held.append(process.identity)
            state.afterHold(&state, pid)
            return .held(Int32(state.held.count - 1))
        }
    }

    func send(_ number: Int32, to reference: Int32) -> Int32 {
        state.withLock { state in
            let process = state.held[Int(reference)]
            guard state.processes[process.pid]?.identity == process else { return ESRCH }
            guard state.refusal == 0 else { return state.refusal }
            let signal = Signal(pid: process.pid, number: number)
            state.signals.append(signal)
            state.onSignal(&state, signal)
            return 0
        }
    }

    func release(_ reference: Int32) {}

    func allProcesses() -> [Int32] {
        state.withLock { Array($0.processes.keys) }
    }
}
