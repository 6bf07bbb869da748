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
    ///   `never_fits`, or `invalid_value` when the request can't be kept.
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
    /// - Throws: ``OperationError``: `unknown_provider`, `invalid_value`, `closed`, `queue_full`, `overloaded`, `never_fits`.
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
        guard !isClosed else { throw OperationError.closed }
        if let key = work.uniqueKey, let id = idsByKey[key], let job = jobs[id] { return joined(to: job) }
        guard hasRoom(for: work.type) || queue.count < configuration.maximumQueued else {
            throw OperationError(
                .queueFull,
                "\(queue.count) operations wait already: try again when some have begun, or raise the limit."
            )
        }
        let warning = try await admit(work)
        let cell = try makeCell(work, options)
        if let holder = try await claim(cell, work) { return try await join(holder, work, options) }
        let handle = try tracker.admit(cell)
        let job = Job(handle: handle, work: work, retry: options.retry)
        take(job)
        return SubmittedOperation(
            id: handle.id,
            hasJoined: false,
            warning: warning,
            wait: Self.waiting(for: job.completion)
        )
    }

    private func makeCell(_ work: ProviderJob, _ options: Options) throws(OperationError) -> OperationCell {
        let spec = OperationSpec(
            type: work.type,
            description: work.description,
            total: nil,
            unit: work.unit,
            priority: options.priority,
            parent: options.parent,
            startedBy: options.startedBy
        )
        return tracker.makeCell(spec, status: .pending) { state in
            state.payload = OperationCell.Payload(request: work.request)
            state.pausing = work.traits.pausing
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
        if let job = try await adopt(record, work, retry: options.retry) {
            // Whoever asks for work that was left behind wants it done.
            try? await tracker.resume(id)
            return joined(to: job)
        }
        let tracker = tracker
        return SubmittedOperation(id: id, hasJoined: true, warning: nil) {
            try await tracker.waitForEnd(of: id)
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
    /// Waits for the end of an operation that another process runs, by looking into the history that both share.
    fileprivate func waitForEnd<Output: Sendable>(of id: OperationID) async throws -> Output {
        while true {
            guard let history, let record = try await history.record(id) else {
                throw OperationError.unknownOperation(id)
            }
            switch record.operation.status {
            case .completed:
                guard let type = Output.self as? any Decodable.Type, let json = record.result,
                    let output = try JSONDecoder().decode(type, from: Data(json)) as? Output
                else {
                    throw OperationError(
                        .invalidValue,
                        "The other process kept no output: see the history for how it ended."
                    )
                }
                return output
            case .failed: throw record.operation.failure ?? OperationFailure(.providerError, "It failed.")
            case .cancelled: throw CancellationError()
            case .pending, .inProgress, .paused: try await clock.sleep(for: .seconds(1))
            }
        }
    }
}
