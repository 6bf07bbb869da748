import OperationTracking
import Synchronization

/// What callers on any thread and the writer both touch, behind one lock that is never held during I/O.
final class SharedState: Sendable {
    /// When the writer is to look at what waits.
    enum Wake: Comparable {
        /// What comes until then is written in the same transaction.
        case later
        /// Those who were answered together are likely to come together again.
        case soon
        case now
    }

    /// A wake, and what it is for: once that has been taken nobody need be woken for it.
    struct Call {
        let wake: Wake
        let batch: Int
    }

    private struct State {
        var pending = PendingWrites()
        var wake: Wake?
        /// How often what waited has been taken.
        var batch = 0
        /// How many waited for the last transaction in which anyone did.
        var usualWaiters = 1
        var backlog = Backlog()
        /// Why the file can't be written now; `nil` while it can.
        var trouble: String?
        var notices: [String] = []
        var isClosed = false
        var fileGeneration = 0

        mutating func needsWake(_ wanted: Wake) -> Call? {
            if let wake, wake >= wanted { return nil }
            wake = wanted
            return Call(wake: wanted, batch: batch)
        }

        var troubleDescription: String {
            let loss =
                backlog.droppedCount > 0
                ? " \(backlog.droppedCount) entries had to be dropped, since only \(Backlog.limit) are kept." : ""
            return "The history is kept in memory until it can be written: \(trouble ?? "").\(loss)"
        }
    }

    private let state = Mutex(State())

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
        let (isTaken, wake) = state.withLock { state -> (Bool, Call?) in
            guard !state.isClosed else { return (false, nil) }
            state.pending.add(record, waiter: waiter)
            return (true, state.needsWake(state.pending.waiterCount < state.usualWaiters ? .soon : .now))
        }
        if !isTaken { waiter.resume(returning: .volatile(reason: HistoryError.closed.message)) }
        return wake
    }

    /// Everything that waits, for the writer to write.
    ///
    /// - Parameter batch: of the call that had the writer look; `nil` when it looks of its own accord. What came after that batch has
    ///   calls of its own.
    func takePending(_ batch: Int? = nil) -> PendingWrites {
        state.withLock { state in
            guard batch == nil || batch == state.batch else { return PendingWrites() }
            defer { state.pending = PendingWrites() }
            state.wake = nil
            state.batch += 1
            if state.pending.waiterCount > 0 { state.usualWaiters = state.pending.waiterCount }
            return state.pending
        }
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
        state.withLock { $0.isClosed = true }
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
