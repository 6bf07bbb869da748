import Synchronization

/// The public name of one operation.
///
/// An id is `op_` followed by 1 to 60 letters, digits, `_` or `-`. The fixed prefix keeps an id from ever meeting the name
/// of an HTTP route or of a file with a meaning. Ids that a tracker makes sort by the time of their making, which keeps
/// a store's index append-only.
public struct OperationID: RawRepresentable, Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The text form, as stored and sent.
    public let rawValue: String

    /// Takes an id given by a caller; `nil` when the text doesn't have the form of an id.
    public init?(rawValue: String) {
        let text = rawValue.utf8
        guard text.count > 3, text.count <= 63, rawValue.hasPrefix("op_"), text.allSatisfy(Self.isAllowed) else {
            return nil
        }
        self.rawValue = rawValue
    }

    private init(trusted: String) {
        rawValue = trusted
    }

    /// The text form.
    public var description: String { rawValue }

    /// Sorts by the text form, which for ids that a tracker made is by time.
    public static func < (left: OperationID, right: OperationID) -> Bool {
        left.rawValue < right.rawValue
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default:
            false
        }
    }
}

extension OperationID {
    /// Makes an id no other process has: 48 bits of time, 40 bits drawn once for this process, a 30-bit counter.
    ///
    /// Random bits are drawn once because drawing them costs a system call, and an operation may last microseconds.
    ///
    /// - Parameter milliseconds: wall-clock time since 1970.
    static func make(at milliseconds: Int64) -> OperationID {
        let count = UInt64(truncatingIfNeeded: counter.wrappingAdd(1, ordering: .relaxed).newValue)
        return OperationID(
            trusted: String(unsafeUninitializedCapacity: 27) { buffer in
                buffer[0] = UInt8(ascii: "o")
                buffer[1] = UInt8(ascii: "p")
                buffer[2] = UInt8(ascii: "_")
                write(UInt64(truncatingIfNeeded: milliseconds), digits: 10, to: buffer, at: 3)
                write(processTag, digits: 8, to: buffer, at: 13)
                write(count, digits: 6, to: buffer, at: 21)
                return 27
            }
        )
    }

    private static let processTag = UInt64.random(in: 0...UInt64.max)
    private static let counter = Atomic<UInt>(0)

    /// Crockford's base 32 in lower case: it sorts like the number and has no letters that look alike.
    private static func write(_ value: UInt64, digits: Int, to buffer: UnsafeMutableBufferPointer<UInt8>, at start: Int)
    {
        let alphabet: StaticString = "0123456789abcdefghjkmnpqrstvwxyz"
        var rest = value
        for index in stride(from: start + digits - 1, through: start, by: -1) {
            buffer[index] = alphabet.utf8Start[Int(rest & 31)]
            rest >>= 5
        }
    }
}
