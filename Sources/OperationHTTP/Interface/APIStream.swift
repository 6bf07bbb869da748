/// A body that comes in pieces as things happen: Server-Sent Events.
///
/// A server asks for one piece after the other, so nothing is made for a client that doesn't read: whoever was slow is given
/// the newest state of each operation, and every ending. Equal pieces for many clients are one buffer in memory.
///
/// A server with a thread or a task for each client waits in ``next()``. One that has neither asks with ``next(orNotify:)``.
public final class APIStream: Sendable {
    /// What there is to be sent.
    public enum Step: Sendable {
        /// Bytes, at least one.
        case piece([UInt8])
        /// Nothing now: the one who asked is told when it is worth asking again.
        case waiting
        /// Nothing any more.
        case end
    }

    private let source: any StreamSource

    init(_ source: any StreamSource) {
        self.source = source
    }

    deinit { source.cancel() }

    /// What is to be sent next.
    ///
    /// - Parameter notify: called once, on any thread, and only after this has returned ``Step/waiting``, or while it does, when
    ///   there may be more. It must be quick and must not ask by itself.
    public func next(orNotify notify: @escaping @Sendable () -> Void) -> Step {
        source.next(orNotify: notify)
    }

    /// Waits for what is to be sent next; `nil` at the end, or when the task is cancelled.
    public func next() async -> [UInt8]? {
        while !Task.isCancelled {
            let bell = StreamBell()
            switch source.next(orNotify: { bell.ring() }) {
            case .piece(let bytes): return bytes
            case .end: return nil
            case .waiting: await bell.heard()
            }
        }
        return nil
    }

    /// Ends the stream: the client is gone. What it watched goes on.
    public func cancel() {
        source.cancel()
    }
}

/// Where a stream's pieces come from.
protocol StreamSource: Sendable {
    func next(orNotify notify: @escaping @Sendable () -> Void) -> APIStream.Step
    func cancel()
}
