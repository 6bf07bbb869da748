#if os(Linux)
/// Reads `/proc/net/tcp` and `/proc/net/tcp6` (proc_pid_net(5)), where the kernel has no sock_diag.
enum ProcNetTCP {
    /// The sockets that listen. Lines that are cut off or of another form are left out.
    static func listeners(_ text: [UInt8]) -> [ListeningSocket] {
        text.split(separator: UInt8(ascii: "\n")).dropFirst().compactMap { line in
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 10)
            guard fields.count > 9, fields[3].elementsEqual("0A".utf8) else { return nil }
            let local = fields[1].split(separator: UInt8(ascii: ":"))
            guard local.count == 2, let address = address(local[0]),
                let port = UInt16(String(decoding: local[1], as: UTF8.self), radix: 16),
                let user = UInt32(String(decoding: fields[7], as: UTF8.self)),
                let inode = UInt64(String(decoding: fields[9], as: UTF8.self))
            else { return nil }
            return ListeningSocket(address: address, port: port, userID: user, inode: inode)
        }
    }

    /// Words of 32 bits, each as this machine has numbers, in hexadecimal digits.
    private static func address(_ digits: ArraySlice<UInt8>) -> IPAddress? {
        guard digits.count == 8 || digits.count == 32 else { return nil }
        var words: [UInt32] = []
        for start in stride(from: digits.startIndex, to: digits.endIndex, by: 8) {
            guard let word = UInt32(String(decoding: digits[start..<start + 8], as: UTF8.self), radix: 16) else {
                return nil
            }
            words.append(word)
        }
        return words.withUnsafeBytes { IPAddress($0, isIPv6: words.count == 4) }
    }
}
#endif
