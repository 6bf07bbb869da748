/// Whether bytes are a PNG file and nothing else (Portable Network Graphics specification, section 5).
enum PNGCheck {
    /// The longest side that is kept, in pixels; the API gives at most 1200.
    private static let maximumSide: UInt32 = 4096
    private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// Looks at the signature, the picture's size, the chunks' checksums, that there is a picture, and that the chunks reach from the
    /// header to the very end: nothing stands behind.
    ///
    /// - Throws: ``FileRefusal``.
    static func check(_ bytes: [UInt8]) throws(FileRefusal) {
        guard bytes.starts(with: signature) else { throw FileRefusal("it is no PNG") }
        var position = signature.count
        var isFirst = true
        var hasPicture = false
        while bytes.count - position >= 12 {
            let length = Int(number(bytes, position))
            let type = String(decoding: bytes[(position + 4)..<(position + 8)], as: UTF8.self)
            guard length <= bytes.count - position - 12 else { break }
            let end = position + length + 8
            guard CRC32.checksum(of: bytes[(position + 4)..<end]) == number(bytes, end) else {
                throw FileRefusal("its PNG is damaged: a checksum is wrong")
            }
            if type == "IDAT", length > 0 { hasPicture = true }
            if isFirst {
                guard type == "IHDR", length == 13 else { throw FileRefusal("its PNG header is damaged") }
                let sides = [number(bytes, position + 8), number(bytes, position + 12)]
                guard sides.allSatisfy((1...maximumSide).contains) else {
                    throw FileRefusal("its sides are not between 1 and \(maximumSide) pixels")
                }
            }
            isFirst = false
            position += length + 12
            if type == "IEND" {
                guard hasPicture else { throw FileRefusal("its PNG has no picture") }
                guard position == bytes.count else { throw FileRefusal("something stands behind the end of the PNG") }
                return
            }
        }
        throw FileRefusal("its PNG ends too early")
    }

    private static func number(_ bytes: [UInt8], _ position: Int) -> UInt32 {
        bytes[position..<(position + 4)].reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// The checksum of PNG's chunks (Portable Network Graphics specification, annex D).
private enum CRC32 {
    static func checksum(of bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { value, byte in
            table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] ^ (value >> 8)
        }
    }

    private static let table: [UInt32] = (0..<256).map { start in
        (0..<8).reduce(UInt32(start)) { value, _ in value & 1 == 0 ? value >> 1 : 0xEDB8_8320 ^ (value >> 1) }
    }
}
