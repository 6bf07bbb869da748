import Glibc
import ServiceControl
import Testing

@Suite("Whose connection it is")
struct PeerUserTests {
    @Test("a client of this user is known, over IPv4, IPv6, and an IPv6 socket that takes both")
    func own() throws {
        for (server, client) in [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::", "127.0.0.1"), ("::", "::1")] {
            let listener = try Listener(server, takesIPv4: true)
            let connection = try Connection(to: client, port: listener.port)
            let accepted = listener.accept()
            #expect(PeerUser.userID(ofPeerOf: accepted.descriptor) == geteuid(), "\(client) to \(server)")
            #expect(PeerUser.userID(ofPeerOf: connection.descriptor) == geteuid(), "the server seen by \(client)")
        }
    }

    @Test("a client that connects to an IPv4 server by an IPv6 socket, as Java's do, is known")
    func mappedClient() throws {
        let listener = try Listener()
        let connection = try Connection(to: "::ffff:127.0.0.1", port: listener.port)
        let accepted = listener.accept()
        #expect(PeerUser.userID(ofPeerOf: accepted.descriptor) == geteuid())
        _ = connection
    }

    @Test("a client that has said all it has to say is still known")
    func halfClosed() throws {
        let listener = try Listener()
        let connection = try Connection(to: "127.0.0.1", port: listener.port)
        let accepted = listener.accept()
        shutdown(connection.descriptor, Int32(SHUT_WR))
        #expect(PeerUser.userID(ofPeerOf: accepted.descriptor) == geteuid())
    }

    @Test("a client that has gone is not taken for root")
    func gone() async throws {
        let listener = try Listener()
        var connection: Connection? = try Connection(to: "127.0.0.1", port: listener.port)
        let accepted = listener.accept()
        #expect(PeerUser.userID(ofPeerOf: accepted.descriptor) != nil)
        connection = nil
        _ = connection
        // A child that is starting may have a copy of it up to its exec.
        try await eventually { PeerUser.userID(ofPeerOf: accepted.descriptor) == nil }
    }

    @Test("what is no connection has no peer")
    func noConnection() throws {
        let listener = try Listener()
        #expect(PeerUser.userID(ofPeerOf: listener.descriptor) == nil)
        #expect(PeerUser.userID(ofPeerOf: -1) == nil)
        #expect(PeerUser.userID(ofPeerOf: 0) == nil)
    }

    @Test(
        "a client of another user is known as that user's",
        .enabled(if: isRoot, "LEFT OUT: only root can start a process of another user"),
        .enabled(if: Python.path != nil, Python.whenMissing)
    )
    func otherUser() async throws {
        let listener = try Listener()
        let script = """
            import os, socket, time
            os.setgroups([]); os.setuid(1234)
            s = socket.create_connection(("127.0.0.1", \(listener.port)))
            time.sleep(1000)
            """
        let child = try Child([try #require(Python.path), "-c", script])
        let accepted = listener.accept()
        #expect(PeerUser.userID(ofPeerOf: accepted.descriptor) == 1234)
        _ = child
    }
}
