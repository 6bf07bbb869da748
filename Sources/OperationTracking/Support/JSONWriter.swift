/// Writes JSON text into one growing buffer.
///
/// `JSONEncoder` needs many times as long for an operation, and the same operation is encoded for every tick of every stream.
package struct JSONWriter: ~Copyable {
    private var buffer: ByteBuffer
    private var needsComma = false
    /// The second that was written last, and where it stands.
    private var lastMoment: (second: Int64, offset: Int)?

    package init(capacity: Int) {
        buffer = ByteBuffer(capacity: capacity)
    }

    private init(in room: UnsafeMutableBufferPointer<UInt8>) {
        buffer = ByteBuffer(in: room)
    }

    /// What `body` writes, in an array that it is written to at once unless it is longer than `capacity`: a long list isn't
    /// copied.
    package static func bytes(capacity: Int, _ body: (inout JSONWriter) throws -> Void) rethrows -> [UInt8] {
        var outgrown: [UInt8]?
        let bytes = try [UInt8](unsafeUninitializedCapacity: max(capacity, 64)) { room, count in
            // The writer doesn't leave this closure, so it doesn't outlive the room.
            var json = JSONWriter(in: room)
            try body(&json)
            if json.buffer.isOwner { outgrown = json.bytes } else { count = json.buffer.count }
        }
        return outgrown ?? bytes
    }

    /// What has been written so far.
    package var bytes: [UInt8] { buffer.bytes }

    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    /// Writes what is JSON already.
    package mutating func embed(_ json: (some Collection<UInt8>)?) {
        guard let json else { return null() }
        separate()
        let copied: Void? = json.withContiguousStorageIfAvailable { buffer.append($0) }
        if copied == nil { Array(json).withUnsafeBufferPointer { buffer.append($0) } }
        needsComma = true
    }

    /// Writes a key from outside.
    package mutating func outsideKey(_ name: String) {
        value(name)
        buffer.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a key; it must need no escaping, as every key of ours.
    @inline(__always)
    package mutating func key(_ name: StaticString) {
        let length = name.utf8CodeUnitCount
        let room = buffer.room(for: length + 4)
        // The comma is written also where none is needed, and then written over.
        room[0] = UInt8(ascii: ",")
        let comma = needsComma ? 1 : 0
        let end = room + comma
        end[0] = UInt8(ascii: "\"")
        (end + 1).update(from: name.utf8Start, count: length)
        end[length + 1] = UInt8(ascii: "\"")
        end[length + 2] = UInt8(ascii: ":")
        buffer.count += length + 3 + comma
        needsComma = false
    }

    package mutating func null() { literal("null") }

    package mutating func value(_ truth: Bool?) {
        guard let truth else { return null() }
        literal(truth ? "true" : "false")
    }

    package mutating func value(_ text: String?) {
        guard var text else { return null() }
        separate()
        text.withUTF8 { appendQuoted($0) }
        needsComma = true
    }

    package mutating func value(_ number: (some FixedWidthInteger)?) {
        guard let number else { return null() }
        separate()
        appendInteger(Int64(number))
        needsComma = true
    }

    /// Writes a number rounded to `decimals` places; what is not finite is null, since JSON has no word for it.
    package mutating func value(_ number: Double?, decimals: Int = 3) {
        guard let number, number.isFinite else { return null() }
        separate()
        needsComma = true
        let scale = Self.powersOfTen[decimals]
        let scaled = (number * scale).rounded()
        guard abs(scaled) < 9e15 else {
            var text = "\(number)"
            text.withUTF8 { buffer.append($0) }
            return
        }
        let (whole, rest) = Int64(abs(scaled)).quotientAndRemainder(dividingBy: Int64(scale))
        if scaled < 0 { buffer.append(UInt8(ascii: "-")) }
        appendInteger(whole)
        if rest > 0 { appendDecimals(rest, width: decimals) }
    }

    /// Writes a moment as ISO 8601 in UTC with milliseconds.
    package mutating func value(milliseconds: Int64?) {
        guard let milliseconds else { return null() }
        separate()
        needsComma = true
        // An operation's moments are often of the same second, and those of a list too.
        if let last = lastMoment, CalendarMoment.textRange.contains(milliseconds), milliseconds / 1000 == last.second {
            let end = buffer.repeatBytes(from: last.offset, count: 26)
            Self.write(milliseconds % 1000, width: 3, to: end + 21)
            return
        }
        lastMoment = milliseconds >= 0 ? (milliseconds / 1000, buffer.count) : nil
        let moment = CalendarMoment(milliseconds: milliseconds)
        let end = buffer.room(for: 26)
        end[0] = UInt8(ascii: "\"")
        Self.write(moment.year, width: 4, to: end + 1)
        end[5] = UInt8(ascii: "-")
        Self.write(moment.month, width: 2, to: end + 6)
        end[8] = UInt8(ascii: "-")
        Self.write(moment.day, width: 2, to: end + 9)
        end[11] = UInt8(ascii: "T")
        Self.write(moment.hour, width: 2, to: end + 12)
        end[14] = UInt8(ascii: ":")
        Self.write(moment.minute, width: 2, to: end + 15)
        end[17] = UInt8(ascii: ":")
        Self.write(moment.second, width: 2, to: end + 18)
        end[20] = UInt8(ascii: ".")
        Self.write(moment.millisecond, width: 3, to: end + 21)
        end[24] = UInt8(ascii: "Z")
        end[25] = UInt8(ascii: "\"")
        buffer.count += 26
    }
}

extension JSONWriter {
    private static let powersOfTen: [Double] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]

    private mutating func open(_ bracket: UInt8) {
        separate()
        buffer.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        buffer.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { buffer.append(UInt8(ascii: ",")) }
    }

    @inline(__always)
    private mutating func literal(_ text: StaticString) {
        separate()
        buffer.append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        needsComma = true
    }

    private mutating func appendInteger(_ number: Int64) {
        let magnitude = number.magnitude
        if number < 0 { buffer.append(UInt8(ascii: "-")) }
        let width = Self.digitCount(magnitude)
        Self.write(Int64(truncatingIfNeeded: magnitude), width: width, to: buffer.room(for: 20))
        buffer.count += width
    }

    private static func digitCount(_ number: UInt64) -> Int {
        var (count, rest) = (1, number)
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        return count
    }

    /// Writes a decimal point and digits, without zeros at their end.
    private mutating func appendDecimals(_ rest: Int64, width: Int) {
        var (rest, width) = (rest, width)
        while rest % 10 == 0 {
            rest /= 10
            width -= 1
        }
        let end = buffer.room(for: 8)
        end.pointee = UInt8(ascii: ".")
        Self.write(rest, width: width, to: end + 1)
        buffer.count += width + 1
    }

    /// Writes so many digits, with zeros before the number where it has fewer.
    @inline(__always)
    private static func write(_ number: Int64, width: Int, to start: UnsafeMutablePointer<UInt8>) {
        var rest = UInt64(bitPattern: number)
        var index = width - 1
        while index >= 0 {
            start[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
            index -= 1
        }
    }

    private mutating func appendQuoted(_ text: UnsafeBufferPointer<UInt8>) {
        buffer.append(UInt8(ascii: "\""))
        var plainStart = 0
        for index in text.indices where Self.needsEscaping(text[index]) {
            buffer.append(UnsafeBufferPointer(rebasing: text[plainStart..<index]))
            plainStart = index + 1
            appendEscaped(text[index])
        }
        buffer.append(UnsafeBufferPointer(rebasing: text[plainStart...]))
        buffer.append(UInt8(ascii: "\""))
    }

    @inline(__always)
    private static func needsEscaping(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        buffer.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): buffer.append(byte)
        case UInt8(ascii: "\n"): buffer.append(UInt8(ascii: "n"))
        case UInt8(ascii: "\r"): buffer.append(UInt8(ascii: "r"))
        case UInt8(ascii: "\t"): buffer.append(UInt8(ascii: "t"))
        default:
            buffer.append(UInt8(ascii: "u"))
            buffer.append(UInt8(ascii: "0"))
            buffer.append(UInt8(ascii: "0"))
            buffer.append(Self.hexDigit(byte >> 4))
            buffer.append(Self.hexDigit(byte & 15))
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
