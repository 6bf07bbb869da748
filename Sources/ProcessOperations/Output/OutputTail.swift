/// The last bytes of an output, however long that is, and what people can read in them.
package struct OutputTail {
    /// How many bytes are kept.
    package static let limit = 16 * 1024

    package private(set) var seen: Int64 = 0
    private var bytes: [UInt8] = []

    package init() {}

    package mutating func append(_ chunk: UnsafeRawBufferPointer) {
        seen += Int64(chunk.count)
        bytes.append(contentsOf: chunk.suffix(Self.limit))
        // Trimmed only when there is twice as much, so that each byte is moved once.
        if bytes.count > 2 * Self.limit { bytes.removeFirst(bytes.count - Self.limit) }
    }

    /// All that is kept, as lines of text.
    var text: String { Self.lines(of: bytes.suffix(Self.limit)).joined(separator: "\n") }

    /// The last lines that aren't blank, the oldest first.
    package func lastLines(_ count: Int, within limit: Int = OutputTail.limit) -> [String] {
        Self.lines(of: bytes.suffix(limit)).filter { !$0.allSatisfy(\.isWhitespace) }.suffix(count)
    }

    /// Lines as a terminal would show them: what follows a carriage return replaces what stood before it.
    private static func lines(of bytes: some Sequence<UInt8>) -> [String] {
        var filter = EscapeFilter()
        // A character that was cut where the tail begins has lost its first byte.
        let whole = bytes.drop { $0 & 0xC0 == 0x80 }
        let plain = whole.compactMap { filter.take($0) }
        return plain.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            let shown = line.split(separator: UInt8(ascii: "\r")).last ?? []
            return String(decoding: shown, as: UTF8.self).printable
        }
    }
}

extension String {
    /// The text with U+FFFD for every control character but the tabulator.
    var printable: String {
        let scalars = unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control && scalar != "\t" ? "\u{FFFD}" : scalar
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
