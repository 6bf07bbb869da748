#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

/// An operation's place in a history: keys sort in the order in which the operations were created, however late their rows
/// were written.
///
/// A key is 43 bits of milliseconds since 1970, and 20 bits that tell apart what was created in the same millisecond.
package struct HistoryKey: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: Int64

    package init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    /// The lowest key of what was created at `moment`; a moment outside 1970 to 2248 is taken as the nearest inside.
    package init(lowestAt moment: Date) {
        let seconds = min(max(moment.timeIntervalSince1970, 0), Self.latestSecond)
        rawValue = Int64((seconds * 1000).rounded()) << Self.sequenceBits
    }

    /// Another key of the same millisecond, drawn at random, for when this one is taken.
    package func redrawn() -> HistoryKey {
        HistoryKey(rawValue: rawValue & ~Self.sequenceMask | Int64.random(in: 0...Self.sequenceMask))
    }

    package static func < (left: HistoryKey, right: HistoryKey) -> Bool {
        left.rawValue < right.rawValue
    }

    /// Above every key.
    package static let end = HistoryKey(rawValue: .max)

    fileprivate static let sequenceBits: Int64 = 20
    fileprivate static let sequenceMask: Int64 = (1 << sequenceBits) - 1
    private static let latestSecond = 8_796_093_022.0
}

/// Makes the keys of one store: in a millisecond they rise with each key made, and their last bits, drawn once, keep two
/// stores on one file apart in most cases. The store redraws a key that is taken all the same.
package struct HistoryKeySequence: Sendable {
    private let tag = Int64.random(in: 0...255)
    private var latest = HistoryKey(rawValue: 0)
    private var count: Int64 = 0

    package init() {}

    package mutating func next(createdAt moment: Date) -> HistoryKey {
        let lowest = HistoryKey(lowestAt: moment)
        count = lowest == latest ? min(count + 1, HistoryKey.sequenceMask >> 8) : 0
        latest = lowest
        return HistoryKey(rawValue: lowest.rawValue | count << 8 | tag)
    }
}

/// The opaque text that says where the next page begins: what it lists, and the last key of this page.
package struct HistoryCursor: Sendable {
    /// What is listed: a cursor of one list is refused by the other.
    package enum List: String, Sendable {
        case operations = "o"
        case audit = "a"
    }

    /// Makes the cursor of the page that follows `key`.
    package static func text(_ list: List, after key: HistoryKey) -> String {
        let digits = String(key.rawValue, radix: 16)
        return list.rawValue + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The key that the next page stays below; above every key when there is no cursor.
    package static func key(_ list: List, in text: String?) throws(HistoryError) -> HistoryKey {
        guard let text else { return .end }
        let digits = text.dropFirst(list.rawValue.count)
        guard text.utf8.count == 17, text.hasPrefix(list.rawValue), let key = Int64(digits, radix: 16), key >= 0,
            self.text(list, after: HistoryKey(rawValue: key)) == text
        else {
            throw HistoryError(
                .invalidCursor,
                "The cursor is not one that this list gave: take it from next_cursor as it stands, or leave it out."
            )
        }
        return HistoryKey(rawValue: key)
    }
}
