/// A plugin that can do one kind of work.
///
/// A provider knows its work and nothing else: no tracker, no store, no HTTP. It gets a request, reports through a handle,
/// and returns or throws. Who starts it, whether it waits in a queue, whether it is tried again, and where its history goes
/// is decided around it.
///
/// ```swift
/// struct CountProvider: OperationProvider {
///     struct Request: Codable, Sendable { var upTo: Int64 }
///     static let operationType = OperationType("count")
///
///     func description(of request: Request) -> String { "Count to \(request.upTo)" }
///
///     @concurrent
///     func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Int64 {
///         handle.setTotal(request.upTo)
///         for number in 1...request.upTo {
///             try await handle.checkpoint()
///             handle.update(completed: number)
///         }
///         return request.upTo
///     }
/// }
/// ```
///
/// Credentials belong to the provider, never to a request: requests are kept in the history and shown to people.
public protocol OperationProvider<Request, Output>: Sendable {
    /// What is asked for. It is kept as JSON of at most ``OperationRecord/payloadLimit`` bytes.
    associatedtype Request: Codable & Sendable
    /// What comes out. It is kept as JSON of at most ``OperationRecord/payloadLimit`` bytes.
    associatedtype Output: Codable & Sendable

    /// The type of every operation of this provider.
    static var operationType: OperationType { get }

    /// What the provider can do beside performing.
    var traits: ProviderTraits { get }

    /// What amounts count.
    var unit: OperationUnit { get }

    /// A request as it could be, for those who have to write one; `nil` for none.
    var exampleRequest: Request? { get }

    /// What a request does, for people.
    func description(of request: Request) -> String

    /// Refuses a request that can't be carried out as given. A runner asks before anything is kept of it; ``perform(_:reporting:)``
    /// still has to look itself, since it may be called without a runner.
    ///
    /// Look at the request alone, without waiting for anything: whether a file or a server is there may change until the work
    /// begins.
    ///
    /// - Throws: what is wrong with it, best as an ``OperationFailure`` (`invalid_request`). Whoever submits it gets the sentence
    ///   in an ``OperationError`` (`invalid_value`), so nothing secret may be in it.
    func validate(_ request: Request) throws

    /// Where the work happens as far as the request doesn't say, such as a server's address or a folder: equal requests of
    /// providers with other settings are other work. Asked only where active requests are unique, and kept in the history.
    func uniqueScope(of request: Request) -> String

    /// What a request's work will need, as far as that is known. It is asked each time before the work is to begin or to go on, so
    /// what is there already by then doesn't count. Where it isn't known, what operations of the type needed before is taken:
    /// memory that was measured, and disk space where the traits say that it is theirs
    /// (``ProviderTraits/writesToDataDirectory``).
    func demand(of request: Request) -> ResourceDemand

    /// What decides, beside type and size, how long a request's work takes, such as the host that a file comes from. Estimates
    /// begin with runs that had the same. It is kept in the history, at most 64 bytes of it, so nothing secret may be in it, and
    /// few different ones are of more use than many.
    func estimateFeature(of request: Request) -> String

    /// Does the work.
    ///
    /// It runs off any actor. It follows wishes at ``OperationHandle/checkpoint()``, and its task is cancelled when the
    /// operation is.
    ///
    /// - Throws: ``OperationFailure`` or an ``OperationFailureConvertible`` for a failure with a code; anything else is
    ///   recorded as `provider_error`.
    @concurrent
    func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Output
}

extension OperationProvider {
    /// Nothing special.
    public var traits: ProviderTraits { ProviderTraits() }

    /// Items.
    public var unit: OperationUnit { .items }

    /// None.
    public var exampleRequest: Request? { nil }

    /// Refuses nothing.
    public func validate(_ request: Request) throws {}

    /// Everywhere the same.
    public func uniqueScope(of request: Request) -> String { "" }

    /// Nothing.
    public func estimateFeature(of request: Request) -> String { "" }

    /// Nothing known.
    public func demand(of request: Request) -> ResourceDemand { .unknown }
}

/// What a provider can do beside performing.
public struct ProviderTraits: Sendable, Hashable {
    /// How a provider's work pauses.
    public enum Pausing: String, Sendable, Hashable, Codable {
        /// Its work stops where it is and goes on there.
        case inPlace = "in_place"
        /// Its work ends, and begins again from what it saved.
        case byRestart = "by_restart"
        /// It can't pause.
        case unsupported
    }

    /// How its work pauses.
    public var pausing: Pausing
    /// What going on after a pause costs, for people; `nil` for nothing.
    public var resumeCost: String?
    /// Whether a request over HTTP may start it.
    public var mayBeStartedOverHTTP: Bool
    /// Whether two active requests that are equal are one operation, where their ``OperationProvider/uniqueScope(of:)`` is too.
    public var isUnique: Bool
    /// Whether its work keeps to its operation's bandwidth limit (``OperationHandle/limiter``).
    public var isThrottleable: Bool
    /// Whether the bytes that its amounts count are written to the file system of the tracker's
    /// ``OperationTracker/Configuration/dataDirectory``. Then what earlier runs of the type have written there is taken for the
    /// disk space that a request needs, where ``OperationProvider/demand(of:)`` names none.
    public var writesToDataDirectory: Bool

    /// Makes traits.
    public init(
        pausing: Pausing = .unsupported,
        resumeCost: String? = nil,
        mayBeStartedOverHTTP: Bool = false,
        isUnique: Bool = false,
        isThrottleable: Bool = false,
        writesToDataDirectory: Bool = false
    ) {
        self.pausing = pausing
        self.resumeCost = resumeCost
        self.mayBeStartedOverHTTP = mayBeStartedOverHTTP
        self.isUnique = isUnique
        self.isThrottleable = isThrottleable
        self.writesToDataDirectory = writesToDataDirectory
    }
}
