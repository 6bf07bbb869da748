/// The lines of a stream of newline-delimited JSON (github.com/ndjson/ndjson-spec), each as the bytes of one JSON text.
///
/// The rules for lines are those of ``LineSplitter``. Where the stream fails, its error comes after all whole lines before it, and
/// a line that it cut short is not given.
public struct NDJSONLines<Base: AsyncSequence>: AsyncSequence where Base.Element == [UInt8] {
    /// The bytes of one line, without its ending.
    public typealias Element = [UInt8]
    /// What the base throws, or ``TransferError``.
    public typealias Failure = any Error

    private let base: Base
    private let limit: Int

    /// The lines of `base`, none of which may be longer than `limit` bytes.
    public init(_ base: Base, limit: Int = 1 << 20) {
        self.base = base
        self.limit = limit
    }

    /// Begins reading.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(base: base.makeAsyncIterator(), splitter: LineSplitter(limit: limit))
    }

    /// Reads the lines, one after another.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var base: Base.AsyncIterator
        fileprivate var splitter: LineSplitter

        /// The next line; `nil` at the end.
        /// - Throws: ``TransferError/Code/lineTooLong``, and what the base throws.
        public mutating func next() async throws -> [UInt8]? {
            try await next(isolation: #isolation)
        }

        /// The next line; `nil` at the end.
        /// - Throws: ``TransferError/Code/lineTooLong``, and what the base throws.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            while true {
                if let line = try splitter.next() { return line }
                guard let chunk = try await base.next(isolation: actor) else { return splitter.finish() }
                splitter.append(chunk)
            }
        }
    }
}

extension NDJSONLines: Sendable where Base: Sendable {}

extension HTTPBody {
    /// The body's lines, none of which may be longer than `limit` bytes; one mebibyte unless given.
    public func lines(limit: Int = 1 << 20) -> NDJSONLines<HTTPBody> {
        NDJSONLines(self, limit: limit)
    }
}
