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
    /// - Returns: the reference, to be released.
    func hold(_ pid: Int32) -> ProcessHold

    /// Sends a signal.
    ///
    /// - Returns: 0, or an errno.
    func send(_ signal: Int32, to reference: Int32) -> Int32

    func release(_ reference: Int32)

    /// The pids of all processes.
    func allProcesses() -> [Int32]

    /// The pids of those that may have a name, which a look at each tells for sure: as few as the system tells cheaply.
    func candidates(named name: String) -> [Int32]
}

extension ControlSystem {
    func candidates(named name: String) -> [Int32] { allProcesses() }
}

/// What came of taking hold of a process.
enum ProcessHold: Hashable {
    case held(Int32)
    /// There is no such process.
    case gone
    /// An errno.
    case refused(Int32)
}

extension SystemPorts: ControlSystem {
    var ownPID: Int32 { getpid() }
    var userID: UInt32 { geteuid() }

    func identity(of pid: Int32) -> ProcessIdentity? { ProcessIdentity(running: pid) }

    #if os(Linux)
    func hold(_ pid: Int32) -> ProcessHold {
        let descriptor = cprocess_pidfd_open(pid)
        if descriptor >= 0 { return .held(descriptor) }
        return errno == ESRCH ? .gone : .refused(errno)
    }

    func send(_ signal: Int32, to reference: Int32) -> Int32 {
        cprocess_pidfd_send_signal(reference, signal) == 0 ? 0 : errno
    }

    func release(_ reference: Int32) { close(reference) }

    func allProcesses() -> [Int32] { DescriptorScan.allProcesses() }

    func candidates(named name: String) -> [Int32] {
        allProcesses().filter { pid in
            guard let text = ProcFile.contents(of: "/proc/\(pid)/comm") else { return false }
            return ProcessDetails.mayBe(named: name, kept: String(decoding: text.dropLast(), as: UTF8.self))
        }
    }
    #else
    // Written with care and not run: the project is built and tested on Linux only. Between the last check and the signal a
    // number could be given away; Darwin has no way round that.
    func hold(_ pid: Int32) -> ProcessHold { kill(pid, 0) == 0 || errno == EPERM ? .held(pid) : .gone }

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
    /// Signals a process if it is still that very one and still has one of the sockets.
    ///
    /// The order is what makes it safe: first the process is held, then it is looked whether the number still means the one
    /// that is wanted. If it does, the number meant that one when it was held, too.
    func signal(_ process: ProcessIdentity, _ number: Int32, ifItHas sockets: Set<UInt64>) -> SignalOutcome {
        guard process.pid > 1, process.pid != ownPID else { return .gone }
        let reference: Int32
        switch hold(process.pid) {
        case .held(let number): reference = number
        case .gone: return .gone
        case .refused(let errno): return .refused(errno)
        }
        defer { release(reference) }
        guard identity(of: process.pid) == process else { return .gone }
        if self.sockets(of: process.pid, among: sockets).isEmpty { return .holdsNothing }
        switch send(number, to: reference) {
        case 0: return .sent
        case ESRCH: return .gone
        case let errno: return .refused(errno)
        }
    }
}
