#if os(Linux)
/// Reads the pids of `/proc/PID/task/TID/children`, numbers with a blank behind each, in pieces cut anywhere.
struct ChildListParser {
    private var number: Int32?

    mutating func parse(_ piece: UnsafeRawBufferPointer, into list: inout [Int32]) {
        for byte in piece {
            if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                // A pid has 22 bits at most; what is longer is no pid, and wrapping it does no harm.
                number = (number ?? 0) &* 10 &+ Int32(byte - UInt8(ascii: "0"))
            } else {
                finish(into: &list)
            }
        }
    }

    mutating func finish(into list: inout [Int32]) {
        if let number, number > 0 { list.append(number) }
        number = nil
    }
}
#endif
