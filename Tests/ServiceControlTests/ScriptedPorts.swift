import OperationTracking
import Synchronization

@testable import ServiceControl

/// A system whose ports and processes a test makes up.
final class ScriptedPorts: PortSystem {
    struct State {
        var sockets: [ListeningSocket] = []
        var holders: [Int32: Set<UInt64>] = [:]
        var processes: [Int32: ProcessDetails] = [:]
    }

    private let state = Mutex(State())

    func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
    }

    func listeners(port: UInt16?) -> [ListeningSocket] {
        state.withLock { $0.sockets.filter { port == nil || $0.port == port } }
    }

    func holders(of inodes: Set<UInt64>) -> [Int32: Set<UInt64>] {
        state.withLock { $0.holders.mapValues(inodes.intersection).filter { !$0.value.isEmpty } }
    }

    func sockets(of pid: Int32, among inodes: Set<UInt64>) -> Set<UInt64> {
        state.withLock { $0.holders[pid]?.intersection(inodes) ?? [] }
    }

    func process(_ pid: Int32) -> ProcessDetails? {
        state.withLock { $0.processes[pid] }
    }
}
