import Dispatch
import OperationTracking

/// The one writer of a store: it owns the connection that writes, takes everything that waits whenever it becomes free, and
/// writes it in one transaction. When that fails it keeps everything in memory and tries again every few seconds.
actor HistoryWriter {
    private let executor = QueueExecutor(label: "OperationHistorySQLite.writer")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    let paths: HistoryPaths
    let options: SQLiteHistoryStore.Options
    let shared: SharedState
    /// `nil` until it could be opened, and after closing.
    var file: HistoryFile?
    var owner: Owner?
    /// The active operations that this store has rows of, or will have.
    var active: [OperationID: ActiveOperation] = [:]
    private var keys = HistoryKeySequence()
    private var damaged: FileIdentity?
    private var retryIsScheduled = false
    private var endingsUntilPrune = 0
    private var pruning: Task<Void, Never>?

    init(paths: HistoryPaths, options: SQLiteHistoryStore.Options, shared: SharedState) {
        self.paths = paths
        self.options = options
        self.shared = shared
    }

    // MARK: Opening and closing

    /// Opens the file and clears up after owners that are gone. Trouble that may pass, such as a full disk, degrades the
    /// store and is no error.
    ///
    /// - Throws: ``HistoryError`` for what won't pass.
    func open() async throws {
        do {
            try openFile()
        } catch let failure as SystemFailure where !failure.mayPass {
            throw HistoryError(.cannotOpen, "The history can't be opened: \(failure).")
        } catch let failure as SQLiteFailure where failure.isForGood {
            throw HistoryError(.cannotOpen, "The history can't be opened: \(failure).")
        } catch let error as HistoryError where error.code != .damaged {
            throw error
        } catch {
            return degrade(because: error)
        }
        await settleAfterOpening()
    }

    func close() async {
        pruning?.cancel()
        await pruning?.value
        drain()
        if shared.isDegraded { retry() }
        file?.checkpointForLeaving()
        file = nil
        owner?.leave()
        owner = nil
    }

    private func openFile() throws {
        let owner = try owner ?? Owner(in: paths.owners)
        self.owner = owner
        file = try HistoryFile.open(
            paths,
            owner: owner.id,
            patience: options.lockPatience,
            damaged: damaged,
            beforeCommit: options.beforeCommit,
            notice: shared.addNotice
        )
        damaged = nil
        shared.fileWasReplaced()
    }

    private func settleAfterOpening() async {
        do {
            try await recover()
            startPruning()
        } catch {
            degrade(because: error)
        }
    }

    // MARK: Writing

    /// Has ``drain(_:)`` run on the writer's queue.
    nonisolated func wake(_ call: SharedState.Call?) {
        guard let call else { return }
        let drain = { @Sendable in self.assumeIsolated { $0.drain(call.batch) } }
        switch call.wake {
        case .now: executor.queue.async(execute: drain)
        case .later: after(options.groupingDelay, drain)
        }
    }

    private nonisolated func after(_ delay: Duration, _ body: @escaping @Sendable () -> Void) {
        executor.queue.asyncAfter(deadline: .now() + delay.dispatchInterval, execute: body)
    }

    /// Writes everything that waits.
    ///
    /// - Parameter number: of the batch that it was called for, as ``SharedState/beginGroup(_:)`` takes it; `nil` to write what there
    ///   is and wait for nobody.
    func drain(_ number: Int? = nil) {
        guard let isWaitedFor = shared.beginGroup(number) else { return }
        let patience = (number == nil ? .zero : options.companyDelay).dispatchInterval
        var deadline = DispatchTime.now()
        defer { wake(shared.endGroup(until: deadline)) }
        if isWaitedFor { deadline = deadline + patience }
        var group: [PendingWrites] = []
        do {
            guard !shared.isDegraded else { throw shared.unwritable }
            let outcomes = try writing { file in
                // Not empty where the file had to be replaced by a fresh one.
                var outcomes = try group.flatMap { try write($0, to: file) }
                while let next = shared.takeNext(until: deadline) {
                    group.append(next)
                    outcomes += try write(next, to: file)
                }
                return outcomes
            }
            var endings = 0
            for (entry, outcome) in zip(group.lazy.flatMap(\.entries), outcomes) {
                entry.waiter?.resume(returning: outcome.durability)
                remember(entry.record, outcome)
                if entry.record.operation.status.isTerminal { endings += 1 }
            }
            afterCommit(endings: endings)
            deadline = .now() + patience
        } catch {
            deadline = .now()
            if !shared.isDegraded { degrade(because: error) }
            while let next = shared.takeNext(until: .now()) { group.append(next) }
            for batch in group { keep(batch) }
        }
    }

    private func write(_ batch: PendingWrites, to file: HistoryFile) throws -> [WriteOutcome] {
        for noted in batch.audit { try file.operations.note(noted) }
        return try batch.entries.map { entry in
            let outcome = try write(entry.record, to: file)
            for noted in entry.audit { try file.operations.note(noted) }
            return outcome
        }
    }

    /// Does `body` in one transaction. A file that turns out to be damaged is set aside if possible, and then `body` is
    /// done once more in the fresh one.
    func writing<Result>(_ body: (HistoryFile) throws -> Result) throws -> Result {
        guard var file else { throw HistoryError(.failed, "the file is not open") }
        // What is written to a file that nobody can find any more would be called durable and be lost.
        if !file.isAtItsPath { file = try replaceLostFile() }
        do {
            return try file.transaction { try body(file) }
        } catch let failure as SQLiteFailure where failure.isDamage {
            let fresh = try replaceDamagedFile()
            return try fresh.transaction { try body(fresh) }
        }
    }

    struct WriteOutcome {
        let durability: HistoryDurability
        let active: ActiveOperation
    }

    /// Writes one record; what that teaches is remembered with ``remember(_:_:)`` once the transaction is durable.
    func write(_ record: OperationRecord, to file: HistoryFile) throws -> WriteOutcome {
        var known =
            active[record.operation.id] ?? ActiveOperation(key: keys.next(createdAt: record.operation.createdAt))
        let durability = try file.operations.write(record, &known)
        return WriteOutcome(durability: durability, active: known)
    }

    func remember(_ record: OperationRecord, _ outcome: WriteOutcome) {
        let isOurs = record.operation.status.isActive && outcome.durability == .durable
        active[record.operation.id] = isOurs ? outcome.active : nil
    }

    func afterCommit(endings: Int) {
        guard let file else { return }
        file.checkpointIfDue(pages: options.checkpointPages)
        endingsUntilPrune -= endings
        if endingsUntilPrune <= 0 { startPruning() }
    }

    private func startPruning() {
        endingsUntilPrune = options.endingsBetweenPrunes
        guard pruning == nil, !shared.isClosed else { return }
        pruning = Task {
            // A failure shows in the next commit too; the next prune takes up what this one leaves.
            _ = try? await prune(options.retention)
            pruning = nil
        }
    }

    // MARK: Trouble

    private func replaceDamagedFile() throws -> HistoryFile {
        damaged = file?.identity
        file = nil
        try openFile()
        guard let file else { throw HistoryError(.failed, "the file is not open") }
        return file
    }

    /// Begins a fresh file where the one in use was removed or replaced. Active rows are written again as they come.
    private func replaceLostFile() throws -> HistoryFile {
        shared.addNotice(
            "\(paths.database) was removed or replaced while it was in use: what it held is gone, and a fresh one is begun."
        )
        file = nil
        owner = nil
        try paths.makeDirectories()
        try openFile()
        guard let file else { throw HistoryError(.failed, "the file is not open") }
        return file
    }

    /// A reader found the file damaged.
    func damageWasFound() {
        guard file != nil, !shared.isDegraded else { return }
        do {
            _ = try replaceDamagedFile()
        } catch {
            degrade(because: error)
        }
    }

    func degrade(because error: any Error) {
        shared.degrade(because: String(describing: error))
        scheduleRetry()
    }

    /// Keeps in memory what could not be written, and says so to whoever waits.
    func keep(_ batch: PendingWrites) {
        let records = batch.entries.map { entry in
            KeyedRecord(key: reserveKey(for: entry.record.operation), record: entry.record.withinPayloadLimit())
        }
        let dropped = shared.keep(records, audit: batch.audit + batch.entries.flatMap(\.audit))
        for id in dropped { active[id] = nil }
        for entry in batch.entries { entry.waiter?.resume(returning: .volatile(reason: shared.troubleDescription)) }
    }

    private func reserveKey(for operation: BackgroundOperation) -> HistoryKey {
        if let known = active[operation.id] { return known.key }
        let key = keys.next(createdAt: operation.createdAt)
        active[operation.id] = ActiveOperation(key: key)
        return key
    }

    private func scheduleRetry() {
        guard !retryIsScheduled, !shared.isClosed else { return }
        retryIsScheduled = true
        after(options.retryInterval) { [weak self] in self?.assumeIsolated { $0.retry() } }
    }

    /// Writes what was kept: first the audit log's entries and then operations, each in the order in which they came.
    private func retry() {
        retryIsScheduled = false
        guard shared.isDegraded else { return }
        let backlog = shared.backlog
        do {
            if file == nil { try openFile() }
            let outcomes = try writing { file in
                for entry in backlog.audit { try file.operations.note(entry) }
                return try backlog.operations.map { try write($0.record, to: file) }
            }
            for (kept, outcome) in zip(backlog.operations, outcomes) { remember(kept.record, outcome) }
            shared.recover()
        } catch {
            return degrade(because: error)
        }
        guard !shared.isClosed else { return }
        Task { await settleAfterOpening() }
    }
}

extension Duration {
    fileprivate var dispatchInterval: DispatchTimeInterval { .nanoseconds(Int(inSeconds * 1e9)) }
}
