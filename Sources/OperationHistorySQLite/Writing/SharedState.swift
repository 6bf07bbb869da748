import Dispatch
import OperationTracking
import Synchronization

/// What callers on any thread and the writer both touch, behind one lock that is never held during I/O.
final class SharedState: Sendable {
    /// When the writer is to look at what waits.
    enum Wake: Comparable {
        /// What comes until then is written in the same transaction.
        case later
        case now
    }

    /// A wake, and what it is for: once that has been taken nobody need be woken for it.
    struct Call {
        let wake: Wake
        let batch: Int
    }

    /// What is being written in one transaction.
    private struct Group {
        /// How many wait for it.
        var waiterCount = 0
        /// For how many more the writer sleeps.
        var missing: Int?
        /// Whether all that there was has been taken, and not only what can't wait.
        var isWhole = false
    }

    private struct State {
        var pending = PendingWrites()
        var wake: Wake?
        /// How often the writer has begun to write.
        var batch = 0
        var group: Group?
        /// How many waited for the last transaction in which anyone did.
        var usualWaiters = 1
        var backlog = Backlog()
        /// Why the file can't be written now; `nil` while it can.
        var trouble: String?
        var notices: [String] = []
        var isClosed = false
        var fileGeneration = 0

        mutating func needsWake(_ wanted: Wake) -> Call? {
            // Whoever writes looks again by itself.
            guard group == nil else { return nil }
            if let wake, wake >= wanted { return nil }
            wake = wanted
            return Call(wake: wanted, batch: batch)
        }

        /// Whether the writer sleeps and need not any more.
        mutating func companyIsComplete() -> Bool {
            guard let missing = group?.missing, pending.waiterCount >= missing || isClosed else { return false }
            group?.missing = nil
            return true
        }

        mutating func takeNext(isLate: Bool) -> (PendingWrites?, mustWait: Bool) {
            guard var group else { return (nil, false) }
            defer { self.group = group }
            let arrived = pending.waiterCount
            let isComplete = group.waiterCount + arrived >= usualWaiters || isLate || isClosed
            guard arrived > 0 || isComplete else {
                group.missing = usualWaiters - group.waiterCount
                return (nil, true)
            }
            // Those who come while the last are written may still come along, but not for ever.
            if group.isWhole, isLate || arrived == 0 { return (nil, false) }
            group.waiterCount += arrived
            guard isComplete else { return (pending.takeWaiting(), false) }
            group.isWhole = true
            defer { pending = PendingWrites(room: pending.entries.count) }
            return (pending.isEmpty ? nil : pending, false)
        }

        var troubleDescription: String {
            let loss =
                backlog.droppedCount > 0
                ? " \(backlog.droppedCount) entries had to be dropped, since only \(Backlog.limit) are kept." : ""
            return "The history is kept in memory until it can be written: \(trouble ?? "").\(loss)"
        }
    }

    private let state = Mutex(State())
    /// Signalled once whenever `missing` is reached.
    private let companyCame = DispatchSemaphore(value: 0)

    // MARK: Handing over

    /// Adds a record. The result says how the writer must be woken; `nil` when it has been already.
    func add(_ record: OperationRecord) -> Call? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            state.pending.add(record, waiter: nil)
            return state.needsWake(.later)
        }
    }

    func append(_ entry: AuditEntry) -> Call? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            state.pending.append(entry)
            return state.needsWake(.later)
        }
    }

    /// Adds a record whose outcome `waiter` is told.
    func add(_ record: OperationRecord, waiter: PendingWrites.Waiter) -> Call? {
        let (isTaken, isComplete, wake) = state.withLock { state -> (Bool, Bool, Call?) in
            guard !state.isClosed else { return (false, false, nil) }
            state.pending.add(record, waiter: waiter)
            return (true, state.companyIsComplete(), state.needsWake(.now))
        }
        if !isTaken { waiter.resume(returning: .volatile(reason: HistoryError.closed.message)) }
        if isComplete { companyCame.signal() }
        return wake
    }

    /// Begins a transaction's group, when anything waits. Until ``endGroup()`` nobody wakes the writer.
    ///
    /// - Parameter batch: of the call that had the writer look; `nil` when it looks of its own accord. What came after that batch has
    ///   calls of its own.
    /// - Returns: whether anyone waits for what there is; `nil` when there is nothing.
    func beginGroup(_ batch: Int? = nil) -> Bool? {
        state.withLock { state in
            guard batch == nil || batch == state.batch, !state.pending.isEmpty else { return nil }
            state.wake = nil
            state.batch += 1
            state.group = Group()
            return state.pending.waiterCount > 0
        }
    }

    /// What is to be written next in the same transaction; `nil` when that is to be committed.
    ///
    /// Those who were answered together are likely to come together again. What has come is given out at once, so that it is
    /// written while the others are still on their way, and then they are waited for.
    ///
    /// - Parameter deadline: when nobody is waited for any more.
    func takeNext(until deadline: DispatchTime) -> PendingWrites? {
        while true {
            let isLate = DispatchTime.now() >= deadline
            let (next, mustWait) = state.withLock { $0.takeNext(isLate: isLate) }
            guard mustWait else { return next }
            sleep(until: deadline)
        }
    }

    /// Ends a group, and says how the writer must be woken for what has come since.
    ///
    /// Where several were answered together, the first of them to come again is waited for: that costs less than to be woken.
    ///
    /// - Parameter deadline: when nobody is waited for any more.
    func endGroup(until deadline: DispatchTime) -> Call? {
        let mustWait = state.withLock { state in
            guard let count = state.group?.waiterCount, count > 0 else { return false }
            state.usualWaiters = count
            guard count > 1, state.pending.waiterCount == 0, !state.isClosed else { return false }
            state.group?.missing = 1
            return true
        }
        if mustWait { sleep(until: deadline) }
        return state.withLock { state in
            state.group = nil
            guard !state.pending.isEmpty else { return nil }
            return state.needsWake(state.pending.waiterCount > 0 ? .now : .later)
        }
    }

    /// Sleeps until those who are missing have come.
    private func sleep(until deadline: DispatchTime) {
        guard companyCame.wait(timeout: deadline) == .timedOut else { return }
        let wasSignalled = state.withLock { state in
            defer { state.group?.missing = nil }
            return state.group?.missing == nil
        }
        // The signal came too late and would wake the next sleep.
        if wasSignalled { companyCame.wait() }
    }

    var waitingCount: Int { state.withLock { $0.pending.entries.count } }

    // MARK: Health

    var health: HistoryHealth {
        state.withLock { $0.trouble == nil ? .ok : .degraded(reason: $0.troubleDescription) }
    }

    var isDegraded: Bool { state.withLock { $0.trouble != nil } }

    var troubleDescription: String { state.withLock { $0.troubleDescription } }

    /// What a call gets that can only be answered by a file that can be written.
    var unwritable: HistoryError { HistoryError(.failed, troubleDescription) }

    var notices: [String] { state.withLock { $0.notices } }

    func addNotice(_ notice: String) {
        state.withLock { $0.notices.append(notice) }
    }

    /// What is kept in memory; empty while the file can be written.
    var backlog: Backlog { state.withLock { $0.backlog } }

    func degrade(because trouble: String) {
        state.withLock { $0.trouble = trouble }
    }

    /// Keeps records in memory, within bounds. Returns the ended operations that had to be dropped.
    func keep(_ records: [KeyedRecord], audit: [AuditEntry]) -> [OperationID] {
        state.withLock { state in
            for kept in records { state.backlog.keep(kept.record, key: kept.key) }
            state.backlog.keep(audit)
            return state.backlog.trim()
        }
    }

    func recover() {
        state.withLock { state in
            state.backlog = Backlog()
            state.trouble = nil
        }
    }

    // MARK: Life

    var isClosed: Bool { state.withLock { $0.isClosed } }

    func close() {
        let isComplete = state.withLock { state in
            state.isClosed = true
            return state.companyIsComplete()
        }
        if isComplete { companyCame.signal() }
    }

    func requireOpen() throws(HistoryError) {
        if isClosed { throw .closed }
    }

    /// Rises when the file is replaced, so that readers open the new one.
    var fileGeneration: Int { state.withLock { $0.fileGeneration } }

    func fileWasReplaced() {
        state.withLock { $0.fileGeneration += 1 }
    }
}
