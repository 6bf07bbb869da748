import OperationTracking

#if canImport(Glibc)
import CProcess
import Glibc
#elseif canImport(Musl)
import CProcess
import Musl
#else
import Darwin
#endif

/// What is asked of the system where processes are to be ended, so that a test can play one.
protocol ControlSystem: PortSystem {
    /// This process.
    var ownPID: Int32 { get }

    /// The user on whose behalf this process acts.
    var userID: UInt32 { get }

    /// The process that has this pid now; `nil` when there is none.
    func identity(of pid: Int32) -> ProcessIdentity?

    /// Takes hold of the process that has this pid now: what is sent to the reference reaches that one or nobody.
    ///
    /// - Returns: the reference, to be released; `nil` when there is no such process.
    func hold(_ pid: Int32) -> Int32?

    /// Sends a signal.
    ///
    /// - Returns: 0, or an errno.
    func send(_ signal: Int32, to reference: Int32) -> Int32

    func release(_ reference: Int32)

    /// The pids of all processes.
    func allProcesses() -> [Int32]
}

extension SystemPorts: ControlSystem {
    var ownPID: Int32 { getpid() }
    var userID: UInt32 { geteuid() }

    func identity(of pid: Int32) -> ProcessIdentity? { ProcessIdentity(running: pid) }

    #if os(Linux)
    func hold(_ pid: Int32) -> Int32? {
        let descriptor = cprocess_pidfd_open(pid)
        return descriptor >= 0 ? descriptor : nil
    }

    func send(_ signal: Int32, to reference: Int32) -> Int32 {
        cprocess_pidfd_send_signal(reference, signal) == 0 ? 0 : errno
    }

    func release(_ reference: Int32) { close(reference) }

    func allProcesses() -> [Int32] { DescriptorScan.allProcesses() }
    #else
    // Written with care and not run: the project is built and tested on Linux only. Between the last check and the signal a
    // number could be given away; Darwin has no way round that.
    func hold(_ pid: Int32) -> Int32? { kill(pid, 0) == 0 || errno == EPERM ? pid : nil }

    func send(_ signal: Int32, to reference: Int32) -> Int32 { kill(reference, signal) == 0 ? 0 : errno }

    func release(_ reference: Int32) {}

    func allProcesses() -> [Int32] { (try? Self.listProcesses()) ?? [] }
    #endif
}

/// What became of a signal.
enum SignalOutcome: Hashable {
    case sent
    /// The process isn't there any more, or another one has its number.
    case gone
    /// It has none of the sockets any more.
    case holdsNothing
    /// An errno.
    case refused(Int32)
}

extension ControlSystem {
    /// Signals a process if it is still that very one, and, where sockets are given, if it still has one of them.
    ///
    /// The order is what makes it safe: first the process is held, then it is looked whether the number still means the one
    /// that is wanted. If it does, the number meant that one when it was held, too.
    func signal(_ process: ProcessIdentity, _ number: Int32, ifItHas sockets: Set<UInt64>?) -> SignalOutcome {
        guard process.pid > 1, process.pid != ownPID, let reference = hold(process.pid) else { return .gone }
        defer { release(reference) }
        guard identity(of: process.pid) == process else { return .gone }
        if let sockets, self.sockets(of: process.pid, among: sockets).isEmpty { return .holdsNothing }
        switch send(number, to: reference) {
        case 0: return .sent
        case ESRCH: return .gone
        case let errno: return .refused(errno)
        }
    }
}
