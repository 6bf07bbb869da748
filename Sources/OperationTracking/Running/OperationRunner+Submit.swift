#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension OperationRunner {
    /// Takes a request. It begins at once when there is room, and waits otherwise.
    ///
    /// When the provider's active requests are unique and an equal one is active, here or in another process on the same
    /// history, this one joins it.
    ///
    /// - Parameters:
    ///   - request: what is asked for.
    ///   - provider: who does it.
    ///   - options: what else is wanted.
    /// - Throws: ``OperationError``: `closed`, `queue_full`, `overloaded` when the machine is and the admission policy refuses,
    ///   `never_fits`, `invalid_value` when the provider refuses the request (``OperationProvider/validate(_:)``), it can't be
    ///   kept, or the parent is a part of parts 16 deep, or `invalid_transition` when the parent has ended. Then nothing of it
    ///   is kept.
    public func submit<Provider: OperationProvider>(
        _ request: Provider.Request,
        to provider: Provider,
        options: Options = Options()
    ) async throws -> SubmittedOperation<Provider.Output> {
        try await submit(ProviderJob(request, provider: provider), options)
    }

    /// Takes a request that comes as JSON, for the provider registered for a type.
    ///
    /// - Parameters:
    ///   - request: what is asked for, as JSON.
    ///   - type: whose it is.
    ///   - options: what else is wanted.
    /// - Throws: ``OperationError``: `unknown_provider`, and those of ``submit(_:to:options:)``.
    public func submit(
        json request: [UInt8],
        of type: OperationType,
        options: Options = Options()
    ) async throws -> SubmittedOperation<any Sendable> {
        guard let provider = providers[type] else {
            throw OperationError(.unknownProvider, "There is no provider for \(type): it is one of \(providers.types).")
        }
        return try await submit(provider.job(request), options)
    }

    private func submit<Output: Sendable>(
        _ work: ProviderJob,
        _ options: Options
    ) async throws -> SubmittedOperation<Output> {
        guard !isClosed else { throw OperationError.runnerClosed }
        try work.validate()
        if let job = active(work) { return joined(to: job) }
        let admission = try await admit(work)
        // Others may have come while the machine was looked at.
        if let job = active(work) { return joined(to: job) }
        try tracker.requireWhole(options.parent)
        let cell = makeCell(work, options)
        try requireRoom(for: cell, waits: admission.waits)
        if let holder = try await claim(cell, work) { return try await join(holder, work, options) }
        let handle: OperationHandle
        do {
            // And while the claim was made.
            try tracker.requireWhole(options.parent)
            try requireRoom(for: cell, waits: admission.waits)
            handle = try tracker.admit(cell)
        } catch {
            if cell.withState({ $0.uniqueKey }) != nil { await tracker.abandon(cell, because: error) }
            throw error
        }
        tracker.join(cell, band: options.band)
        let job = Job(handle: handle, work: work, retry: RetryLoop(policy: options.retry))
        take(job)
        return SubmittedOperation(
            id: handle.id,
            hasJoined: false,
            warning: admission.warning,
            wait: Self.waiting(for: job.completion)
        )
    }

    /// The job that does the same work already.
    private func active(_ work: ProviderJob) -> Job? {
        work.uniqueKey.flatMap { idsByKey[$0] }.flatMap { jobs[$0] }
    }

    private func requireRoom(for cell: OperationCell, waits: Bool) throws(OperationError) {
        guard !isClosed else { throw .runnerClosed }
        let hasRoom = places.hasRoom(for: cell.type, partOf: lender(to: cell))
        guard (hasRoom && !waits) || queue.count < configuration.maximumQueued else {
            throw OperationError(
                .queueFull,
                "\(queue.count) operations wait already: try again when some have begun, or raise the limit."
            )
        }
    }

    private func makeCell(_ work: ProviderJob, _ options: Options) -> OperationCell {
        let spec = OperationSpec(
            type: work.type,
            description: work.description,
            total: nil,
            unit: work.unit,
            priority: options.priority,
            parent: options.parent,
            band: options.band,
            startedBy: options.startedBy
        )
        return tracker.makeCell(spec, status: .pending) { state in
            state.payload = OperationCell.Payload(
                request: work.request,
                retry: options.retry,
                feature: work.feature
            )
            state.pausing = work.traits.pausing
            state.isThrottleable = work.traits.isThrottleable
            state.writesToDataDirectory = work.traits.writesToDataDirectory
            state.uniqueKey = work.uniqueKey
        }
    }

    /// Makes sure that no other process runs the same work.
    ///
    /// - Returns: the operation that does; `nil` when none does.
    private func claim(_ cell: OperationCell, _ work: ProviderJob) async throws -> OperationRecord? {
        guard work.uniqueKey != nil, let shared = tracker.history as? any SharedHistory else { return nil }
        return try await shared.claim(cell.withRecord(at: tracker.clock.monotonicNanoseconds) { $0 })
    }

    private func join<Output: Sendable>(
        _ record: OperationRecord,
        _ work: ProviderJob,
        _ options: Options
    ) async throws -> SubmittedOperation<Output> {
        let id = record.operation.id
        // Somebody here may have submitted the same while the claim was made.
        if let job = jobs[id] { return joined(to: job) }
        if let job = try await adopt(id, work, retry: options.retry) {
            // Whoever asks for work that was left behind wants it done.
            try? await tracker.resume(id)
            return joined(to: job)
        }
        return SubmittedOperation(id: id, hasJoined: true, warning: nil) { [self] in
            try await waitForEnd(of: id, work, options)
        }
    }

    /// Waits for the end of an operation that another process runs, by looking into the history that both share; takes it over
    /// should that process be gone.
    private func waitForEnd<Output: Sendable>(
        of id: OperationID,
        _ work: ProviderJob,
        _ options: Options
    ) async throws -> Output {
        while true {
            for _ in 0..<5 {
                if let output: Output = try await tracker.outcome(of: id, work) { return output }
                try await tracker.clock.sleep(for: .seconds(1))
            }
            // This also has it marked if it was running when its process died.
            if let job = try await adopt(id, work, retry: options.retry) {
                return try await Self.waiting(for: job.completion)()
            }
        }
    }

    private func joined<Output: Sendable>(to job: Job) -> SubmittedOperation<Output> {
        SubmittedOperation(id: job.handle.id, hasJoined: true, warning: nil, wait: Self.waiting(for: job.completion))
    }

    private static func waiting<Output: Sendable>(for completion: Completion) -> @Sendable () async throws -> Output {
        {
            guard let output = try await completion.value as? Output else {
                throw OperationError(.invalidValue, "The operation's output is not of the type that was asked for.")
            }
            return output
        }
    }
}

extension OperationTracker {
    /// How an operation in the history ended; `nil` while it hasn't.
    fileprivate func outcome<Output: Sendable>(of id: OperationID, _ work: ProviderJob) async throws -> Output? {
        guard let history, let record = try await history.record(id) else { throw OperationError.unknownOperation(id) }
        switch record.operation.status {
        case .completed:
            guard let json = record.result, let output = try work.output(json) as? Output else {
                throw OperationError(
                    .invalidValue,
                    "The other process kept no output: see the history for how it ended."
                )
            }
            return output
        case .failed: throw record.operation.failure ?? OperationFailure(.providerError, "It failed.")
        case .cancelled: throw CancellationError()
        case .pending, .inProgress, .paused: return nil
        }
    }
}
