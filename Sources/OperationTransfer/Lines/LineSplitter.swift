#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Cuts a stream of bytes into lines, whatever its chunks are.
///
/// A line ends with LF or CRLF, which is not part of it; the last one may end with the stream. Blank lines (nothing but spaces, tabs
/// and CR) are skipped. Append a chunk, then take lines until there is none, then append the next:
///
/// ```swift
/// splitter.append(chunk)
/// while let line = try splitter.next() { … }
/// ```
///
/// Used like that it never holds more than one chunk and one line, and looks at each byte once.
public struct LineSplitter: Sendable {
    private let limit: Int
    /// The bytes appended and not yet looked at are those from `position` on.
    private var chunk: [UInt8] = []
    private var position = 0
    /// The beginning of a line whose end is not there yet, without any LF.
    private var partial: [UInt8] = []
    private var failure: TransferError?

    /// A splitter that refuses lines of more than `limit` bytes, their ending not counted; one mebibyte unless given.
    public init(limit: Int = 1 << 20) {
        self.limit = limit
    }

    /// Takes in the next bytes of the stream.
    public mutating func append(_ bytes: [UInt8]) {
        guard position < chunk.count else {
            chunk = bytes
            position = 0
            return
        }
        // Only once the half is used up, so that a caller who takes one line an append doesn't move the rest each time.
        if position > chunk.count / 2 {
            chunk.removeSubrange(..<position)
            position = 0
        }
        chunk += bytes
    }

    /// The next whole line; `nil` when more bytes are needed.
    /// - Throws: ``TransferError/Code/lineTooLong`` from the moment that a line is known to be over the limit, and ever after.
    public mutating func next() throws(TransferError) -> [UInt8]? {
        if let failure { throw failure }
        while let end = indexOfLineFeed() {
            try keep(upTo: end)
            position = end + 1
            if let line = takeLine() { return line }
        }
        try keep(upTo: chunk.count)
        chunk = []
        position = 0
        return nil
    }

    /// The last line, where the stream ended without a line ending; `nil` where it ended with one. Call it after `next` returned `nil`.
    public mutating func finish() -> [UInt8]? {
        takeLine()
    }

    private func indexOfLineFeed() -> Int? {
        chunk.withUnsafeBytes { bytes in
            guard position < bytes.count, let start = bytes.baseAddress,
                let found = memchr(start + position, Int32(UInt8.lineFeed), bytes.count - position)
            else { return nil }
            return UnsafeRawPointer(found) - start
        }
    }

    /// Moves the bytes before `end` to the line that is being put together, unless they make it too long.
    private mutating func keep(upTo end: Int) throws(TransferError) {
        let count = partial.count + end - position
        let last = end > position ? chunk[end - 1] : partial.last
        // One byte over is no excess yet where it is a CR, for that may belong to the ending.
        guard count <= limit || (count == limit + 1 && last == .carriageReturn) else {
            let error = TransferError(
                .lineTooLong,
                "The answer has a line longer than the \(limit) bytes allowed for one."
            )
            self = LineSplitter(limit: limit)
            failure = error
            throw error
        }
        partial += chunk[position..<end]
        position = end
    }

    private mutating func takeLine() -> [UInt8]? {
        var line: [UInt8] = []
        swap(&line, &partial)
        if line.last == .carriageReturn { line.removeLast() }
        return line.allSatisfy(\.isBlank) ? nil : line
    }
}

extension UInt8 {
    fileprivate static let lineFeed = UInt8(ascii: "\n")
    fileprivate static let carriageReturn = UInt8(ascii: "\r")

    fileprivate var isBlank: Bool {
        self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") || self == .carriageReturn
    }
}
