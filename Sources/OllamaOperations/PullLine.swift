#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// One line of the answer to `POST /api/pull`, with what is absurd in it taken out.
struct PullLine: Equatable {
    var status: String?
    var digest: String?
    var total: Int64?
    var completed: Int64?
    /// Whether `completed` was there, but absurd: then it is not the 0 that an absent one means.
    var isCompletedAbsurd = false
    var error: String?
    /// How many values were absurd and were left out or corrected.
    var absurdities = 0

    /// More than this is no size of a layer: 2^50 bytes, a PiB.
    static let largestAmount: Int64 = 1 << 50

    /// A digest is `sha256:` and 64 digits; some room is left for others.
    static let longestDigest = 200

    /// Reads a line; `nil` when it is no JSON object.
    init?(_ bytes: [UInt8]) {
        guard let line = try? JSONDecoder().decode(PullLine.self, from: Data(bytes)) else { return nil }
        self = line
    }
}

extension PullLine: Decodable {
    private enum Key: String, CodingKey {
        case status, digest, total, completed, error
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        status = text(.status, in: fields)
        digest = text(.digest, in: fields)
        if let given = digest, given.utf8.count > Self.longestDigest {
            digest = nil
            absurdities += 1
        }
        error = text(.error, in: fields) ?? (fields.contains(.error) ? "an error without a text" : nil)
        total = amount(.total, in: fields)
        let before = absurdities
        completed = amount(.completed, in: fields)
        isCompletedAbsurd = completed == nil && absurdities > before
        if let most = total, let done = completed, done > most {
            completed = most
            absurdities += 1
        }
    }

    private mutating func text(_ key: Key, in fields: KeyedDecodingContainer<Key>) -> String? {
        guard fields.contains(key), (try? fields.decodeNil(forKey: key)) != true else { return nil }
        if let text = try? fields.decode(String.self, forKey: key) { return text }
        absurdities += 1
        return nil
    }

    private mutating func amount(_ key: Key, in fields: KeyedDecodingContainer<Key>) -> Int64? {
        guard fields.contains(key), (try? fields.decodeNil(forKey: key)) != true else { return nil }
        if let amount = try? fields.decode(Int64.self, forKey: key), (0...Self.largestAmount).contains(amount) {
            return amount
        }
        absurdities += 1
        return nil
    }
}
