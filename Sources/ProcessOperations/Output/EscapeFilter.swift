/// Takes terminal control sequences (ECMA-48) out of a stream of bytes, one byte after the other.
struct EscapeFilter {
    private enum State {
        case text
        /// After ESC.
        case escape
        /// Within ESC `[` …, up to a final byte from `@` to `~`.
        case control
        /// Within ESC `]` … and its kin, up to BEL or ESC `\`.
        case string
        case stringEscape
    }

    private var state = State.text

    /// The byte as it is to be read; `nil` for a part of a sequence. A sequence that moves the cursor is read as a line end.
    mutating func take(_ byte: UInt8) -> UInt8? {
        switch state {
        case .text:
            guard byte == Self.escape else { return byte }
            state = .escape
            return nil
        case .escape:
            return begin(byte)
        case .control:
            switch byte {
            case 0x20...0x3F: return nil
            case 0x40...0x7E:
                state = .text
                return byte == UInt8(ascii: "m") ? nil : UInt8(ascii: "\r")
            default: return leave(byte)
            }
        case .string:
            if byte == Self.escape { state = .stringEscape }
            if byte == 0x07 { state = .text }
            // Titles have no line ends: this one was never closed.
            return byte == UInt8(ascii: "\n") ? leave(byte) : nil
        case .stringEscape:
            return byte == UInt8(ascii: "\\") ? end() : begin(byte)
        }
    }

    private mutating func begin(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "["): state = .control
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"):
            state = .string
        case Self.escape: state = .escape
        case 0x20...0x2F: break  // An intermediate byte: the sequence goes on.
        case 0x30...0x7E: state = .text
        default: return leave(byte)
        }
        return nil
    }

    /// A byte that can't be a part of the sequence ends it and stands for itself.
    private mutating func leave(_ byte: UInt8) -> UInt8? {
        state = byte == Self.escape ? .escape : .text
        return byte == Self.escape ? nil : byte
    }

    private mutating func end() -> UInt8? {
        state = .text
        return nil
    }

    private static let escape: UInt8 = 0x1B
}
