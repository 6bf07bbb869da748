import Dispatch
import OperationTracking

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Runs one command from its start until nothing is left of it, on a queue of its own.
///
/// Signals, the look for the end and the reaping all happen on that queue, one after the other, and ``process`` is there from
/// the spawn to the reaping. So a signal is only ever sent while the group's number is this child's; see ``SpawnedProcess``.
/// A thread waits for output and the end, and has ``step()`` run on the queue for each.
actor ChildProcess {
    /// How long processes may take to vanish that have been killed. Those in the kernel's hands, or of another user, don't.
    private static let vanishingTime = Duration.seconds(1)
    /// How often it is looked whether a process has stopped, a millisecond apart.
    private static let looksForStop = 100
    /// How often to look where the system doesn't tell, in milliseconds.
    private static let lookInterval: Int32 = 20

    private let executor = QueueExecutor(label: "ProcessOperations.child")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let clock: any TrackingClock
    private let grace: Duration
    private let drainTime: Duration
    private let onOutput: @Sendable (UnsafeRawBufferPointer) -> Void

    private var process: SpawnedProcess?
    private var output = OutputPipe.none
    private var exitWatch: Int32 = -1
    private var killer: Task<Void, Never>?
    /// Until when the output is read on; set when the process itself has ended.
    private var drainDeadline: ContinuousClock.Instant?
    /// When what is left is given up; set when it has been killed.
    private var vanishingDeadline: ContinuousClock.Instant?
    private var ending: ProcessEnding?
    private var waiter: CheckedContinuation<ProcessEnding, Never>?
    /// Whether it was asked to end while it ran.
    private(set) var wasAskedToEnd = false

    /// - Parameters:
    ///   - clock: what the grace is measured on.
    ///   - grace: the time from SIGTERM to SIGKILL.
    ///   - drainTime: how long the output is read on after the process has ended, for what others of its session still say.
    ///   - onOutput: takes the output, in order and on the child's queue.
    init(
        clock: any TrackingClock,
        grace: Duration,
        drainTime: Duration,
        onOutput: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
    ) {
        self.clock = clock
        self.grace = grace
        self.drainTime = drainTime
        self.onOutput = onOutput
    }

    /// Starts the command.
    ///
    /// - Returns: the process.
    /// - Throws: `OperationFailure` when it can't be started.
    func start(_ launch: Launch) throws(OperationFailure) -> ProcessIdentity? {
        let (reading, writing) = try OutputPipe.make()
        output = reading
        defer { close(writing) }
        do throws(OperationFailure) {
            process = try SpawnedProcess(launch, output: writing)
        } catch {
            output.close()
            throw error
        }
        let pid = process?.pid ?? 0
        exitWatch = ExitWatch.descriptor(pid)
        // Read before the thread may reap it.
        let identity = ProcessIdentity(running: pid)
        let queue = executor.queue
        guard WatchThread.run({ queue.sync { self.assumeIsolated { $0.step() } } }) else {
            finish()
            throw OperationFailure(
                .providerError,
                "The system has no thread left to watch the command: raise the limit of threads, or run less at once."
            )
        }
        return identity
    }

    /// Waits until the process has ended, and nothing is left of its session.
    var end: ProcessEnding {
        get async {
            if let ending { return ending }
            return await withCheckedContinuation { waiter = $0 }
        }
    }

    /// Stops everything in the session, and waits until the process has stopped.
    ///
    /// None of its code runs any more once the signal is there. That it is seen to have stopped takes longer where it is in
    /// the kernel's hands, such as between vfork(2) and the exec of a child that has stopped first; so the wait is short.
    func pause() async {
        process?.signalAll(SIGSTOP)
        for _ in 0..<Self.looksForStop where process?.leader == .running {
            guard (try? await Task.sleep(for: .milliseconds(1))) != nil else { return }
        }
    }

    /// Lets it go on.
    func resume() {
        process?.signalAll(SIGCONT)
    }

    /// Asks everything in the session to end, and ends by force what has not done so within the grace.
    func terminate() {
        guard let leader = process?.leader, killer == nil else { return }
        wasAskedToEnd = leader == .running || leader == .stopped
        process?.signalAll(SIGTERM)
        // What is stopped has to go on to hear that.
        process?.signalAll(SIGCONT)
        // A task of its own: the operation's is cancelled, and its sleep would be cut short.
        killer = Task { [clock, grace] in
            guard (try? await clock.sleep(for: grace)) != nil else { return }
            self.kill()
        }
    }

    private func kill() {
        process?.signalAll(SIGKILL)
        vanishingDeadline = .now + Self.vanishingTime
    }
}

// MARK: - What the thread has run

extension ChildProcess {
    /// Does what there is to do.
    ///
    /// - Returns: what to wait for before the next step; `nil` after the last one.
    private func step() -> WatchThread.Interest? {
        guard let leader = process?.leader else { return nil }
        output.read(into: onOutput)
        if leader == .running || leader == .stopped {
            let milliseconds = exitWatch < 0 ? Self.lookInterval : -1
            return WatchThread.Interest(descriptors: [output.descriptor, exitWatch], milliseconds: milliseconds)
        }
        guard isOver() else {
            return WatchThread.Interest(descriptors: [output.descriptor], milliseconds: Self.lookInterval)
        }
        finish()
        return nil
    }

    /// Whether nothing is left of a process that has ended, neither output nor children. What does stay is asked to end.
    private func isOver() -> Bool {
        let now = ContinuousClock.now
        let deadline = drainDeadline ?? now + drainTime
        drainDeadline = deadline
        guard output.descriptor < 0 || deadline <= now else { return false }
        if let vanishingDeadline {
            if vanishingDeadline <= now { return true }
            // Those in groups of their own are killed one by one, so one may have begun another before its turn came.
            process?.signalAll(SIGKILL)
        }
        guard process?.hasOthers == true else { return true }
        if deadline <= now { terminate() }
        return false
    }

    private func finish() {
        guard let process = process.take() else { return }
        // A look at all processes may miss one that begins in that moment; a signal to the group doesn't.
        process.signalAll(SIGKILL)
        let ending = process.reap()
        killer?.cancel()
        output.close()
        if exitWatch >= 0 { close(exitWatch) }
        self.ending = ending
        waiter?.resume(returning: ending)
        waiter = nil
    }
}
