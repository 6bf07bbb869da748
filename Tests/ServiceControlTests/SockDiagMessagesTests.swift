import Testing

@testable import ServiceControl

/// Datagrams recorded from Linux 6.18.
private enum Recorded {
    static let listenerIPv4 = """
        7c000000140002000000000059400000020a0000dd8d00007f00000100000000000000000000000000000000000000000000000000000000\
        0000000001000000000000000000000000000000800000000000000097200100050008000000000008000f00000000000c0015000100000000\
        0000000600160052000000
        """
    static let listenerIPv6Only = """
        840000001400020000000000594000000a0a0000ea6700000000000000000000000000000000000000000000000000000000000000000000\
        0000000002000000000000000000000000000000800000000000000098200100050008000000000005000b000100000008000f0000000000\
        0c00150001000000000000000600160012000000
        """
    static let listenerForBoth = """
        840000001400020000000000594000000a0a0000931100000000000000000000000000000000000000000000000000000000000000000000\
        0000000003000000000000000000000000000000800000000000000099200100050008000000000005000b000000000008000f0000000000\
        0c00150001000000000000000600160012000000
        """
    static let done = "1400000003000200000000005940000000000000"
    static let refused = """
        5c000000020000000000000059400000feffffff4800000014000100000000000000000002060000ffffffff000100027f00000100000000\
        00000000000000007f00000100000000000000000000000000000000ffffffffffffffff
        """
    static let connection = """
        7c00000014000000000000005940000002010000b9eadd8d7f0000010000000000000000000000007f000001000000000000000000000000\
        000000000400000000000000000000000000000000000000000000009e200100050008000000000008000f00000000000c00150001000000\
        000000000600160052000000
        """
    static let closedConnection = """
        6000000014000000000000005940000002060300b9eadd8d7f0000010000000000000000000000007f000001000000000000000000000000\
        00000000040000000000000060ea00000000000000000000000000000000000008000f0000000000
        """
    static let mappedConnection = """
        7c0000001400000000000000594000000a010000b9f4dd8d00000000000000000000ffff7f00000100000000000000000000ffff7f000001\
        00000000050000000000000000000000000000000000000000000000a0200100050008000000000008000f00000000000c00150001000000\
        000000000600160012000000
        """

    static func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = hexadecimal.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
    }
}

private func answer(_ bytes: [UInt8]) -> SockDiagMessages.Answer {
    bytes.withUnsafeBytes(SockDiagMessages.answer)
}

private func entry(_ recording: String) throws -> SockDiagMessages.Entry {
    guard case .entries(let entries, _) = answer(Recorded.bytes(recording)) else {
        Issue.record("no entries")
        throw CancellationError()
    }
    return try #require(entries.first)
}

@Suite("Messages of sock_diag")
struct SockDiagMessagesTests {
    @Test("half an answer is none: IPv6 listeners that the kernel keeps to itself aren't taken for absent")
    func halfAnAnswer() {
        var questions = 0
        let all = SockDiagSocket.listeners(port: nil) { _ in
            questions += 1
            return []
        }
        #expect(all == [] && questions == 2)
        questions = 0
        let half = SockDiagSocket.listeners(port: nil) { _ in
            questions += 1
            return questions == 1 ? [] : nil
        }
        #expect(half == nil)
    }

    @Test("a listening IPv4 socket is read with its address, port, user and inode")
    func listenerIPv4() throws {
        let entry = try entry(Recorded.listenerIPv4)
        #expect(entry.connection.local == IPAddress("127.0.0.1"))
        #expect(entry.connection.localPort == 56717)
        #expect(entry.state == SockDiagMessages.listen)
        #expect(entry.userID == 0)
        #expect(entry.inode == 73879)
        #expect(entry.isIPv6Only == nil)
    }

    @Test("an IPv6 socket tells whether it takes IPv4 as well")
    func listenerIPv6() throws {
        let only = try entry(Recorded.listenerIPv6Only)
        #expect(only.connection.local.isWildcard && only.connection.local.isIPv6)
        #expect(only.isIPv6Only == true)
        #expect(try entry(Recorded.listenerForBoth).isIPv6Only == false)
    }

    @Test("several messages in one datagram are all read, up to the one that ends the list")
    func severalMessages() {
        let bytes = Recorded.bytes(Recorded.listenerIPv6Only + Recorded.listenerForBoth + Recorded.done)
        guard case .entries(let entries, isLast: true) = answer(bytes) else {
            Issue.record("no list")
            return
        }
        #expect(entries.map(\.connection.localPort) == [60007, 37649])
    }

    @Test("a refusal is its errno")
    func refusal() {
        #expect(answer(Recorded.bytes(Recorded.refused)) == .refused(2))
    }

    @Test("a connection is read with both its ends")
    func connection() throws {
        let entry = try entry(Recorded.connection)
        #expect(entry.connection.localPort == 47594)
        #expect(entry.connection.remotePort == 56717)
        #expect(entry.connection.remote == IPAddress("127.0.0.1"))
        #expect(PeerUser.userID(of: entry) == 0)
    }

    @Test("a socket that no process has any more is given as root's, and is not taken for that")
    func closedConnection() throws {
        let entry = try entry(Recorded.closedConnection)
        #expect(entry.userID == 0 && entry.inode == 0)
        #expect(PeerUser.userID(of: entry) == nil)
    }

    @Test("the number of all users that have none here is nobody's in particular")
    func overflowUser() throws {
        var entry = try entry(Recorded.connection)
        entry.userID = 65534
        #expect(PeerUser.userID(of: entry) == nil)
    }

    @Test("an IPv4 connection of an IPv6 socket is the same without mapping")
    func mappedConnection() throws {
        let connection = try entry(Recorded.mappedConnection).connection
        #expect(connection.local.isIPv6)
        #expect(connection.unmapped.local == IPAddress("127.0.0.1"))
        #expect(connection.unmapped.remote == IPAddress("127.0.0.1"))
    }

    @Test("what is cut off anywhere is malformed or leaves the entry out, and never crashes")
    func cutOff() {
        let whole = Recorded.bytes(Recorded.listenerForBoth)
        for count in 0..<whole.count {
            switch answer(Array(whole[..<count])) {
            case .malformed: #expect(count >= 16)
            case .entries(let entries, let isLast): #expect(count < 16 && entries.isEmpty && !isLast)
            case .refused: Issue.record("a refusal, cut at \(count)")
            }
        }
    }

    @Test("lengths that lie are malformed", arguments: [0, 15, 200, UInt32.max])
    func lyingLengths(_ length: UInt32) {
        var bytes = Recorded.bytes(Recorded.listenerIPv4)
        withUnsafeBytes(of: length) { bytes.replaceSubrange(0..<4, with: $0) }
        #expect(answer(bytes) == .malformed)
    }

    @Test("an attribute whose length lies says nothing", arguments: [0, 3, UInt16.max])
    func lyingAttribute(_ length: UInt16) throws {
        var bytes = Recorded.bytes(Recorded.listenerForBoth)
        withUnsafeBytes(of: length) { bytes.replaceSubrange(88..<90, with: $0) }
        guard case .entries(let entries, _) = answer(bytes) else {
            Issue.record("no entries")
            return
        }
        #expect(entries.map(\.isIPv6Only) == [nil])
    }

    @Test("a question about one connection is as the kernel gave it back with its refusal")
    func question() throws {
        let address = try #require(IPAddress("127.0.0.1"))
        let question = SockDiagMessages.socket(
            .init(local: address, localPort: 1, remote: address, remotePort: 2)
        )
        #expect(question == Array(Recorded.bytes(Recorded.refused)[20...].prefix(72)))
    }
}
