#if os(Linux)
/// Reads words and numbers out of the text of a `/proc` or cgroup file, without making strings of them.
struct ByteScanner {
    private let bytes: UnsafeRawBufferPointer
    private var offset: Int

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        offset = 0
    }

    var isAtEnd: Bool { offset >= bytes.count }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    mutating func skipBlanks() {
        while let byte = next, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { offset += 1 }
    }

    /// Skips words of one line, with the blanks before them.
    mutating func skipWords(_ count: Int) {
        for _ in 0..<count {
            skipBlanks()
            while let byte = next, byte > UInt8(ascii: " ") { offset += 1 }
        }
    }

    /// Goes to the start of the next line.
    mutating func skipLine() {
        while let byte = next {
            offset += 1
            if byte == UInt8(ascii: "\n") { return }
        }
    }

    /// Goes behind the last `byte` there is.
    ///
    /// - Returns: whether there is one; nothing is skipped else.
    mutating func skip(behindLast byte: UInt8) -> Bool {
        guard let found = bytes[offset...].lastIndex(of: byte) else { return false }
        offset = found + 1
        return true
    }

    /// Skips `text`.
    ///
    /// - Returns: whether it stood here; nothing is skipped else.
    mutating func skip(_ text: StaticString) -> Bool {
        let end = offset + text.utf8CodeUnitCount
        guard end <= bytes.count else { return false }
        for index in 0..<text.utf8CodeUnitCount where bytes[offset + index] != text.utf8Start[index] { return false }
        offset = end
        return true
    }

    /// A whole number without a sign, after blanks; `nil` when there is none here or it is too large.
    mutating func unsigned() -> UInt64? {
        skipBlanks()
        var value: UInt64 = 0
        let start = offset
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
            let (tens, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = tens.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            guard !tooLarge, !overflow else { return nil }
            value = sum
            offset += 1
        }
        return offset > start ? value : nil
    }

    /// The same for what must fit 32 or 63 bits.
    mutating func integer<Value: FixedWidthInteger>(_: Value.Type = Value.self) -> Value? {
        unsigned().flatMap(Value.init(exactly:))
    }

    /// A number with decimals and without a sign, as `12.34`.
    mutating func decimal() -> Double? {
        guard let whole = unsigned() else { return nil }
        guard skip(".") else { return Double(whole) }
        let start = offset
        guard let part = unsigned(), offset > start else { return Double(whole) }
        var scale = 1.0
        for _ in start..<offset { scale *= 10 }
        return Double(whole) + Double(part) / scale
    }

    /// A word: what stands before the next blank, colon or end of the line.
    mutating func word() -> UnsafeRawBufferPointer.SubSequence {
        skipBlanks()
        let start = offset
        while let byte = next, byte > UInt8(ascii: " "), byte != UInt8(ascii: ":") { offset += 1 }
        return bytes[start..<offset]
    }
}
#endif
