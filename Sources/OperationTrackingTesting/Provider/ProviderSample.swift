public import OperationTracking

/// A provider with requests to try it with, for ``ProviderConformance``.
///
/// Every check gets a sample of its own, so that nothing done by one is found by the next: what requests read and write, such
/// as a folder or a server, is best made with the sample, and kept alive by one of its closures.
public struct ProviderSample<Provider: OperationProvider>: Sendable {
    /// The provider.
    public var provider: Provider
    /// A request that succeeds.
    public var succeeding: Provider.Request
    /// A request that fails for a reason that the provider knows.
    public var failing: Provider.Request?
    /// Requests that can't be carried out as given, which `OperationProvider.validate(_:)` refuses.
    public var invalid: [Provider.Request] = []
    /// A request that succeeds and takes long enough to be paused and cancelled in the middle: a second is plenty.
    public var long: Provider.Request?
    /// What must never be shown or kept, such as the provider's key.
    public var secrets: [String] = []
    /// What operations are timed on. A ``ManualClock`` is moved whenever the check waits; that suits a provider that waits on
    /// `OperationHandle.clock` and for nothing else.
    public var clock: any TrackingClock = .system
    /// How long the check waits for anything before it says that it didn't come.
    public var patience: Duration = .seconds(120)
    /// Names what work has left behind that is neither its result nor something that belongs to it, such as half-written files.
    /// Looked at when an operation has ended.
    public var leftovers: @Sendable () async throws -> [String] = { [] }
    /// Whether the work of an operation is in its middle.
    public var isUnderWay: @Sendable (BackgroundOperation) -> Bool = { $0.progress.completedUnits > 0 }
    /// Whether two results of equal requests, of different samples, are the same; `nil` to compare their JSON.
    public var isSameResult: (@Sendable (Provider.Output, Provider.Output) -> Bool)?

    /// Makes a sample; the rest is set afterwards.
    ///
    /// - Parameters:
    ///   - provider: the provider.
    ///   - succeeding: a request that succeeds.
    ///   - failing: a request that fails.
    ///   - long: a request that succeeds and can be met in the middle.
    public init(
        _ provider: Provider,
        succeeding: Provider.Request,
        failing: Provider.Request? = nil,
        long: Provider.Request? = nil
    ) {
        self.provider = provider
        self.succeeding = succeeding
        self.failing = failing
        self.long = long
    }
}
