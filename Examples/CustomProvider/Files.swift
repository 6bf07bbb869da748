import Foundation

/// A regular file below a folder.
struct File {
    let path: String
    let location: String
    let size: Int64

    /// `nil` for what is no regular file.
    init?(folder: String, path: String) {
        self.path = path
        location = folder + "/" + path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: location),
            attributes[.type] as? FileAttributeType == .typeRegular
        else { return nil }
        size = (attributes[.size] as? NSNumber)?.int64Value ?? 0
    }
}

/// The checksum of zip and gzip (RFC 1952, section 8).
struct CRC32 {
    private var value = UInt32.max

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = Self.table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] ^ (value >> 8) }
    }

    /// Eight hexadecimal digits.
    var text: String {
        let digits = String(~value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    private static let table: [UInt32] = (0..<256).map { start in
        (0..<8).reduce(UInt32(start)) { value, _ in value & 1 == 0 ? value >> 1 : 0xEDB8_8320 ^ (value >> 1) }
    }
}
