#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Finds progress in a command's output: bytes in, the latest reading out.
///
/// It reads byte by byte and keeps one token of at most ``longestToken`` bytes, so it doesn't matter how the bytes are cut
/// into chunks. No line that tells progress is longer than ``longestLine``: the rest of one that is, is skipped unread.
struct ProgressParser {
    private enum Token {
        case none
        case number
        case word
    }

    private let rule: ProgressRule
    private var filter = EscapeFilter()
    private var matcher = ProgressMatcher()
    private var token = Token.none
    private var text: [UInt8] = []
    private var isTooLong = false
    private var best: ProgressMatcher.Form?
    private var latest: Double?
    /// How much of the line has been read.
    private var lineLength = 0

    private static let longestToken = 24
    private static let longestLine = 16 * 1024

    init(_ rule: ProgressRule) {
        self.rule = rule
    }

    /// Reads on.
    ///
    /// - Returns: the last share that these bytes tell, 0 to 1; `nil` when they tell none.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> Double? {
        guard rule != .none else { return nil }
        latest = nil
        var index = 0
        while index < bytes.count {
            if lineLength == Self.longestLine {
                index = Self.lineEnd(in: bytes, from: index)
                guard index < bytes.count else { break }
                lineLength = 0
            }
            let byte = filter.take(bytes[index])
            index += 1
            lineLength = byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") ? 0 : lineLength + 1
            if let byte { read(byte) }
            if lineLength == Self.longestLine { giveUpLine() }
        }
        return latest
    }

    /// Where the line ends, or may end by a control sequence that moves the cursor; the count of bytes when it goes on.
    private static func lineEnd(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        var end = bytes.count
        // memchr, because a flood may come by the gigabyte; each search ends where the one before found something.
        for byte in [UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x1B] {
            if let found = memchr(base + start, Int32(byte), end - start) { end = UnsafeRawPointer(found) - base }
        }
        return end
    }

    private mutating func giveUpLine() {
        token = .none
        text.removeAll(keepingCapacity: true)
        isTooLong = false
        matcher.giveUp()
    }

    /// Reads the end of the output, which ends its last line.
    mutating func finish() -> Double? {
        guard rule != .none else { return nil }
        latest = nil
        read(UInt8(ascii: "\n"))
        return latest
    }

    private mutating func read(_ byte: UInt8) {
        if continues(byte) {
            if text.count < Self.longestToken { text.append(byte) } else { isTooLong = true }
            return
        }
        endToken()
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): begin(.number, byte)
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
            begin(.word, byte)
        default: note(matcher.take(punctuation: byte))
        }
    }

    private func continues(_ byte: UInt8) -> Bool {
        let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        switch token {
        case .none: return false
        case .number: return isDigit || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ",")
        case .word:
            return isDigit || byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
    }

    private mutating func begin(_ kind: Token, _ byte: UInt8) {
        token = kind
        text.append(byte)
    }

    private mutating func endToken() {
        switch token {
        case .none: return
        case .number: matcher.take(number: isTooLong ? nil : Amount(text))
        case .word: note(matcher.take(word: isTooLong ? [] : text))
        }
        token = .none
        text.removeAll(keepingCapacity: true)
        isTooLong = false
    }

    private mutating func note(_ reading: ProgressMatcher.Reading?) {
        guard let reading, isWanted(reading.form) else { return }
        latest = reading.share
    }

    private mutating func isWanted(_ form: ProgressMatcher.Form) -> Bool {
        switch rule {
        case .none: return false
        case .percent: return form == .percent
        case .fraction: return form == .fraction
        case .bytes: return form == .bytes
        case .automatic:
            if let best, best > form { return false }
            best = form
            return true
        }
    }
}
