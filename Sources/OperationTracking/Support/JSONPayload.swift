#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Bytes that are to be kept and shown as JSON.
package enum JSONPayload {
    /// Whether bytes are one JSON text. Anything else would break every object that it is put into.
    package static func isValid(_ bytes: [UInt8]) -> Bool {
        (try? JSONDecoder().decode(Anything.self, from: Data(bytes))) != nil
    }

    /// Any JSON text: the decoder has read all of it before it asks what it should be.
    private struct Anything: Decodable {
        init(from decoder: any Decoder) {}
    }
}
