#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Runs providers' requests as tracked operations, and turns how they end into the right terminal status.
public struct OperationRunner: Sendable {
    /// Where the operations are tracked.
    public let tracker: OperationTracker

    /// Makes a runner.
    public init(tracker: OperationTracker) {
        self.tracker = tracker
    }

    /// Begins a request's work.
    ///
    /// - Parameters:
    ///   - request: what is asked for.
    ///   - provider: who does it.
    ///   - retry: when a failed try is followed by another.
    ///   - startedBy: who asks, for the audit log.
    /// - Returns: the operation, which is running.
    /// - Throws: ``OperationError``: `closed`, or `invalid_value` when the request can't be kept.
    public func submit<Provider: OperationProvider>(
        _ request: Provider.Request,
        to provider: Provider,
        retry: RetryPolicy = .never,
        startedBy: String? = nil
    ) throws(OperationError) -> SubmittedOperation<Provider.Output> {
        let payload = try Self.encode(request)
        let spec = OperationSpec(
            type: Provider.operationType,
            description: provider.description(of: request),
            total: nil,
            unit: provider.unit,
            priority: .normal,
            startedBy: startedBy
        )
        let handle = try tracker.begin(spec, status: .inProgress) { state in
            state.payload = OperationCell.Payload(request: payload)
        }
        let tracker = tracker
        let work = Task {
            try await tracker.run(handle) { (output: Provider.Output) in
                let result = try? JSONEncoder().encode(output)
                try await tracker.complete(handle.id, result: result.map(Array.init))
                return output
            } body: {
                try await RetryLoop(policy: retry, handle: handle).run {
                    try await provider.perform(request, reporting: handle)
                }
            }
        }
        return SubmittedOperation(id: handle.id, work: work)
    }

    private static func encode(_ request: some Encodable) throws(OperationError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let payload: [UInt8]
        do {
            payload = try Array(encoder.encode(request))
        } catch {
            throw OperationError(.invalidValue, "The request can't be written as JSON: \(error).")
        }
        guard payload.count <= OperationRecord.payloadLimit else {
            throw OperationError(
                .invalidValue,
                "A request has at most \(OperationRecord.payloadLimit) bytes of JSON, this one has \(payload.count): ask for less at once."
            )
        }
        return payload
    }
}

/// An operation that a runner has taken.
public struct SubmittedOperation<Output: Sendable>: Sendable {
    /// Its public name.
    public let id: OperationID
    let work: Task<Output, any Error>

    /// Waits for the end.
    ///
    /// - Returns: what came out, once the ending is durable.
    /// - Throws: what the provider threw; `CancellationError` when the operation was cancelled. Cancelling the task that
    ///   waits doesn't cancel the operation: ``OperationTracker/cancel(_:)`` does.
    public var output: Output {
        get async throws { try await work.value }
    }
}
