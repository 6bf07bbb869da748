import CProcess
import OperationTracking
import ProcessOperations
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The process by which this program has started a service, and the session that it leads.
///
/// A thread waits for its end, and keeps its log within the limit. The process is reaped when nothing is left of its
/// session, so that the session's number means this one for as long as anything may be sent to it.
final class ServiceProcess: Sendable {
    private struct State: ~Copyable {
        var process: SpawnedProcess?
        var ending: ProcessEnding?
        var isToEnd = false
        /// How long the log was at the last look, and when the next one is, in milliseconds from then.
        var logSize = 0
        var nextLook: Int32 = 20
    }

    let identity: ProcessIdentity
    let log: ServiceLog
    /// Where in the log its output begins.
    let logStart: Int
    private let state: Mutex<State>

    /// Starts a process in a session of its own, with its output in the log.
    ///
    /// - Parameter what: which command it is, for people.
    /// - Throws: ``ServiceError``: `start_failed`, `system`.
    init(
        _ launch: Launch,
        _ what: String,
        log: ServiceLog,
        onEnd: @escaping @Sendable (ServiceProcess, ProcessEnding) -> Void
    ) throws(ServiceError) {
        let (descriptor, start) = try log.open()
        defer { close(descriptor) }
        let process: SpawnedProcess
        do throws(OperationFailure) {
            process = try SpawnedProcess(launch, output: descriptor)
        } catch {
            throw ServiceError(.startFailed, "\(what): \(error.message)")
        }
        let pid = process.pid
        // The child has not been reaped, so it has a start time; 0 is no process's.
        identity = ProcessIdentity(running: pid) ?? ProcessIdentity(pid: pid, startTime: 0)
        self.log = log
        logStart = start
        state = Mutex(State(process: consume process, ending: nil, logSize: start))
        let watch = ExitWatch.descriptor(pid)
        let hasThread = WatchThread.run { [self] in
            guard step(onEnd) else {
                if watch >= 0 { close(watch) }
                return nil
            }
            // A descriptor of a process that has ended is readable for ever.
            return WatchThread.Interest(descriptors: [ending == nil ? watch : -1], milliseconds: lookAtLog())
        }
        guard hasThread else {
            signalAll(SIGKILL)
            if watch >= 0 { close(watch) }
            throw ServiceError(.system, "The system has no thread left to watch the service: run less at once.")
        }
    }

    /// How it has ended; `nil` while it runs.
    var ending: ProcessEnding? { state.withLock { $0.ending } }

    /// Whether it has been asked to end.
    var isToEnd: Bool { state.withLock { $0.isToEnd } }

    /// Says whether its end is wanted, and no failure.
    func expectEnd(_ isWanted: Bool = true) {
        state.withLock { $0.isToEnd = isWanted }
    }

    /// Whether anything is left of its session.
    var isRunning: Bool {
        state.withLock { state in
            switch state.process?.leader {
            case .running, .stopped: true
            case .ended: state.process?.hasOthers == true
            case .gone, nil: false
            }
        }
    }

    /// Signals every process of its session.
    func signalAll(_ number: Int32) {
        state.withLock { $0.process?.signalAll(number) }
    }

    /// The last lines of its output.
    func lastLines(_ count: Int) -> [String] { log.lastLines(count, from: logStart) }

    /// - Returns: whether there is more to wait for.
    private func step(_ onEnd: (ServiceProcess, ProcessEnding) -> Void) -> Bool {
        let (newEnding, isOver) = state.withLock { state -> (ProcessEnding?, Bool) in
            var new: ProcessEnding?
            if state.ending == nil {
                new = Self.peek(identity.pid)
                state.ending = new
            }
            guard state.ending != nil, state.process?.hasOthers != true else { return (new, false) }
            if let process = state.process.take() { _ = process.reap() }
            return (new, true)
        }
        if let newEnding { onEnd(self, newEnding) }
        return !isOver
    }

    /// Keeps the log within its limit.
    ///
    /// - Returns: how long the next look at it and at the session may wait, in milliseconds.
    private func lookAtLog() -> Int32 {
        let (size, left) = log.trim()
        return state.withLock { state in
            // One that can't be emptied is read again in vain, so no sooner for its growth.
            let growth = left > log.limit ? 0 : size - state.logSize
            state.nextLook = log.nextLook(growth: growth, in: state.nextLook)
            state.logSize = left
            return state.nextLook
        }
    }

    private static func peek(_ pid: pid_t) -> ProcessEnding? {
        var code: Int32 = 0
        var signal: Int32 = 0
        switch cprocess_peek(pid, &code, &signal) {
        case 0: return nil
        case 1: return signal == 0 ? .exited(code) : .signalled(signal)
        default: return .unknown
        }
    }
}
