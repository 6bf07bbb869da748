import Testing

@testable import ServiceControl

@Suite("Files of /proc/net")
struct ProcNetTCPTests {
    @Test("listening IPv4 sockets are read, and no others")
    func ipv4() throws {
        let text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
               0: 0100007F:DD8D 00000000:0000 0A 00000000:00000001 00:00000000 00000000  1000        0 73879 2 00000000b7188cb5 100 0 0 10 0                     
               1: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1081 1 00000000c3a32a77 100 0 0 10 0                      
               2: 0100007F:B9EA 0100007F:DD8D 06 00000000:00000000 03:0000176F 00000000     0        0 0 3 00000000664b6f35                                      
            """
        let loopback = try #require(IPAddress("127.0.0.1"))
        let wildcard = try #require(IPAddress("0.0.0.0"))
        #expect(
            ProcNetTCP.listeners(Array(text.utf8)) == [
                ListeningSocket(address: loopback, port: 56717, userID: 1000, inode: 73879),
                ListeningSocket(address: wildcard, port: 2024, userID: 0, inode: 1081),
            ]
        )
    }

    @Test("listening IPv6 sockets are read")
    func ipv6() throws {
        let text = """
              sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 00000000000000000000000000000000:EA67 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 73880 1 00000000d60d68aa 100 0 0 10 0
               1: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 99 1 0000000000000000 100 0 0 10 0
            """
        let sockets = ProcNetTCP.listeners(Array(text.utf8))
        #expect(sockets.map(\.description) == ["[::]:60007", "[::1]:80"])
        #expect(sockets.map(\.userID) == [0, 33])
        #expect(sockets.map(\.isIPv6Only) == [nil, nil])
    }

    @Test(
        "lines of another form are left out",
        arguments: [
            "", "\n\n", "head\n 0: 0100007F 0 0A", "head\n 0: XX:1 0 0A a b c 0 0 1",
            "head\n 0: 0100007F:10000 0 0A a b c 0 0 1",
        ]
    )
    func malformed(_ text: String) {
        #expect(ProcNetTCP.listeners(Array(text.utf8)).isEmpty)
    }
}
