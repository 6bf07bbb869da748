public import OperationTracking

/// What one step of a set-up came to.
public struct SetupStep: Sendable, Hashable, Codable {
    /// How a step ended.
    public enum Status: String, Sendable, Hashable, Codable {
        /// It was done.
        case done
        /// There was nothing to be done.
        case skipped
        /// It could not be done, and the rest went on without.
        case warning
    }

    /// The step's name: `install_vibe`, `find_ollama`, `start_ollama`, `pull` and the model's name, or `merge_modes`.
    public var name: String
    /// How it ended.
    public var status: Status
    /// More, for people. For a warning, what to do.
    public var detail: String

    /// Makes a step.
    public init(_ name: String, _ status: Status, _ detail: String) {
        self.name = name
        self.status = status
        self.detail = detail
    }
}

/// What a step runs with: the whole's operation, and the band of its progress that is the step's.
public struct SetupStage: Sendable {
    /// The whole.
    public let handle: OperationHandle
    /// The step's part of the whole, within 0 to 1.
    public let band: Range<Double>

    /// Runs work as a child operation that owns the step's band. Run again, it takes the band over.
    ///
    /// - Parameters:
    ///   - type: what kind of work it is.
    ///   - description: what it does, for people.
    ///   - unit: what its amounts count.
    ///   - pausing: how it pauses; by restart, `body` is called again when a pause is over.
    ///   - body: the work.
    /// - Returns: what the work returned.
    /// - Throws: what the work threw, or `OperationError` (`closed`).
    public func part<Value: Sendable>(
        _ type: OperationType,
        _ description: String,
        unit: OperationUnit = .items,
        pausing: ProviderTraits.Pausing = .inPlace,
        _ body: @escaping @Sendable (OperationHandle) async throws -> Value
    ) async throws -> Value {
        try await handle.withPart(
            type: type,
            description: description,
            band: band,
            unit: unit,
            pausing: pausing,
            body
        )
    }
}
