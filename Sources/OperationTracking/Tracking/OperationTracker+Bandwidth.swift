extension OperationTracker {
    /// Limits what an operation may transfer, from now on and while it runs. The limit of all together
    /// (``bandwidth``) holds as well.
    ///
    /// - Parameters:
    ///   - bytesPerSecond: 1 to 2^50 bytes a second; `nil` for no limit of its own.
    ///   - id: an active operation.
    /// - Throws: ``OperationError``: `unknown_operation`, `invalid_value`, `cannot_throttle` when its provider doesn't say that it
    ///   can (``ProviderTraits/isThrottleable``).
    public func setBandwidthLimit(_ bytesPerSecond: Int64?, of id: OperationID) throws(OperationError) {
        guard let cell = registry.activeCell(id) else { throw .unknownOperation(id) }
        guard cell.withState({ $0.isThrottleable || $0.limiter != nil }) else { throw .cannotThrottle(cell.type) }
        try limiter(of: cell).setLimit(bytesPerSecond)
    }

    /// The limit of an active operation's own, in bytes a second; `nil` when it has none, or isn't active.
    public func bandwidthLimit(of id: OperationID) -> Int64? {
        registry.activeCell(id)?.withState(\.limiter)?.bytesPerSecond
    }

    func limiter(of cell: OperationCell) -> BandwidthLimiter {
        cell.withState { state in
            let limiter = state.limiter ?? BandwidthLimiter(inside: bandwidth, clock: clock)
            state.limiter = limiter
            return limiter
        }
    }
}

extension OperationHandle {
    /// What holds the operation's transfers to its limit and to that of all operations together. Work that transfers takes from
    /// it what it has received before it reads more, and says so in its ``ProviderTraits/isThrottleable``.
    ///
    /// It stays the same for the operation's life, so work asks for it once.
    public var limiter: BandwidthLimiter { tracker.limiter(of: cell) }
}
