#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What a part is a part of: kept beside it, so that what comes later is only ever put after bytes of the same file.
struct PartNote: Codable, Equatable {
    /// The digest of the URL. The URL itself may hold a signature, which has no business on a disk.
    let source: String
    /// What says that the file is still the same (`If-Range`, RFC 9110, section 13.1.5); `nil` when the server gave nothing
    /// that can, and then the part is of no use.
    let validator: String?
    /// The whole file's size in bytes; `nil` when the server didn't say.
    let total: Int64?

    init(url: String, headers: HTTPHeaders, total: Int64?) {
        source = Checksum.hexadecimal(of: url)
        validator = Self.validator(in: headers)
        self.total = total
    }

    /// - Returns: `nil` for anything that isn't a note about a part of that URL's file.
    init?(json: [UInt8], url: String) {
        guard let note = try? JSONDecoder().decode(PartNote.self, from: Data(json)),
            note.source == Checksum.hexadecimal(of: url), note.validator?.isPlainASCII ?? true
        else { return nil }
        self = note
    }

    /// Whether something is a note, of whatever URL.
    static func isOne(_ json: [UInt8]) -> Bool { (try? JSONDecoder().decode(PartNote.self, from: Data(json))) != nil }

    var json: [UInt8] { (try? JSONEncoder().encode(self)).map(Array.init) ?? [] }

    /// Whether a part with those fields can be of the same version of the file. A server may know ranges and not `If-Range`.
    func isOfSameFile(as headers: HTTPHeaders) -> Bool {
        // A part has the tag that the whole has (RFC 9110, section 15.3.7); its time of change may be left out.
        validator.map { $0.hasPrefix("\"") ? headers["ETag"] == $0 : headers["Last-Modified"] ?? $0 == $0 } ?? true
    }

    /// A strong entity tag, or the time of the last change. A time has a resolution of a second, so it is believed only when the
    /// answer was made later than in that second (RFC 9110, section 8.8.2.2).
    private static func validator(in headers: HTTPHeaders) -> String? {
        if let tag = headers["ETag"] {
            // A weak tag promises no equal bytes. Nor does the time then: it belongs to the same, doubtful, version.
            return tag.hasPrefix("\"") && tag.isPlainASCII ? tag : nil
        }
        guard let changed = headers["Last-Modified"], let time = HTTPDate.seconds(changed),
            let now = headers["Date"].flatMap(HTTPDate.seconds), now > time
        else { return nil }
        return changed
    }
}

extension String {
    /// Whether it can be sent in a field again, and is no attempt to fill a disk.
    fileprivate var isPlainASCII: Bool { utf8.count <= 1000 && utf8.allSatisfy { (0x20..<0x7F).contains($0) } }
}
