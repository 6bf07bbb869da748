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
        // Subscribers are to see it.
        cell.change { _ in }
    }

    /// The limit of an active operation's own, in bytes a second; `nil` when it has none, or isn't active.
    public func bandwidthLimit(of id: OperationID) -> Int64? {
        registry.activeCell(id)?.withState(\.limiter)?.bytesPerSecond
    }

    func limiter(of cell: OperationCell) -> BandwidthLimiter {
        cell.withState(\.limiter) ?? keep(BandwidthLimiter(inside: bandwidth, clock: clock), in: cell)
    }

    /// Gives an operation its limiter, unless somebody else just has.
    fileprivate func keep(_ new: BandwidthLimiter, in cell: OperationCell) -> BandwidthLimiter {
        cell.withState { state in
            let limiter = state.limiter ?? new
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

    /// The same, with a limit to begin with, such as one that a request asks for. It counts only where none has been set and
    /// nobody has asked for the limiter before: what was set since stays when work begins again.
    ///
    /// - Throws: ``OperationError`` (`invalid_value`), as ``BandwidthLimiter/setLimit(_:)``.
    public func limiter(beginningWith bytesPerSecond: Int64?) throws(OperationError) -> BandwidthLimiter {
        let new = BandwidthLimiter(inside: tracker.bandwidth, clock: tracker.clock)
        try new.setLimit(bytesPerSecond)
        return tracker.keep(new, in: cell)
    }
}
