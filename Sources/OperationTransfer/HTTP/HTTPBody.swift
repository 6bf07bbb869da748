/// A body as it arrives: chunks of bytes, whose borders mean nothing.
///
/// A body that comes from a connection can be read once. It arrives only as fast as it is read: beyond a bounded buffer the sender
/// has to wait. Reading fails with the error that cut the transfer short, after all bytes that arrived before it, and goes on
/// failing with it. Letting go of the body and of its iterator before the end closes the connection, and so does cancelling the
/// task that reads.
public struct HTTPBody: AsyncSequence, Sendable {
    /// A chunk of at least one byte.
    public typealias Element = [UInt8]
    /// ``TransferError``, `CancellationError`, or what the sequence throws that the body was made from.
    public typealias Failure = any Error

    private let begin: @Sendable () -> AsyncIterator

    /// A body made from the chunks of `chunks`; each iteration iterates it anew.
    public init(_ chunks: some AsyncSequence<[UInt8], any Error> & Sendable) {
        begin = {
            var iterator = chunks.makeAsyncIterator()
            return AsyncIterator { isolation in try await iterator.next(isolation: isolation) }
        }
    }

    /// A body whose next chunk is what `next` returns, until it returns `nil` or throws.
    public init(unfolding next: @escaping @Sendable () async throws -> [UInt8]?) {
        begin = { AsyncIterator { _ in try await next() } }
    }

    /// The whole body.
    /// - Throws: ``TransferError/Code/bodyTooLarge`` as soon as there are more than `limit` bytes, and what reading throws.
    public func collect(upTo limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await chunk in self {
            guard chunk.count <= limit - bytes.count else {
                throw TransferError(
                    .bodyTooLarge,
                    "The answer's body is larger than the \(limit) bytes allowed for it."
                )
            }
            bytes += chunk
        }
        return bytes
    }

    /// Begins reading.
    public func makeAsyncIterator() -> AsyncIterator {
        begin()
    }

    /// Reads the chunks, one after another.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let read: (isolated (any Actor)?) async throws -> [UInt8]?

        /// The next chunk; `nil` at the end.
        public mutating func next() async throws -> [UInt8]? {
            try await read(#isolation)
        }

        /// The next chunk; `nil` at the end.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            try await read(actor)
        }
    }
}
