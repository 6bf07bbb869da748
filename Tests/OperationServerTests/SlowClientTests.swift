import OperationTracking
import TestSockets
import Testing

@testable import OperationServer

/// The server's patience is short here, and it is the server that ends each of these connections.
struct SlowClientTests {
    @Test func aClientThatSendsNothingIsClosed() async throws {
        let service = try TestService { $0.requestTimeout = .milliseconds(100) }
        #expect(try await service.talk { $0.waitForPeerClose() })
        await service.stop()
    }

    @Test func aClientThatSendsAByteNowAndThenIsClosed() async throws {
        let service = try TestService { $0.requestTimeout = .milliseconds(200) }
        let isClosed = try await service.talk { client in
            try client.send("GET /health HTTP/1.1\r\nX-Slow: ")
            for _ in 0..<200_000 {
                do { try client.send("a") } catch { return true }
                client.pauseBriefly()
            }
            return false
        }
        #expect(isClosed)
        await service.stop()
    }

    @Test func aClientThatNeverSendsItsBodyIsClosed() async throws {
        let service = try TestService { $0.requestTimeout = .milliseconds(100) }
        let isClosed = try await service.talk { client in
            try client.send("POST \(Target.operations)/start HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n{")
            return client.waitForPeerClose()
        }
        #expect(isClosed)
        await service.stop()
    }

    @Test func aStreamIsNotMistakenForASlowClient() async throws {
        let service = try TestService { $0.requestTimeout = .seconds(1) }
        let tracker = service.tracker
        let text = try await service.talk(attempts: 3) { client in
            try client.send("GET \(Target.stream) HTTP/1.1\r\nHost: localhost\r\n\r\n")
            _ = try client.readHead()
            _ = try client.readChunks(until: { $0.contains("event: snapshot") })
            // Another client that is silent is closed meanwhile, twice over.
            for _ in 0..<2 {
                let silent = try TestClient(port: Int(service.server.port))
                _ = silent.waitForPeerClose()
            }
            Task { _ = try tracker.start(type: .download, description: "after the silence") }
            return try client.readChunks(until: { $0.contains("after the silence") })
        }
        #expect(text.contains("event: started"))
        await service.stop()
    }

    @Test func oneAddressMayNotTakeAllConnections() async throws {
        // Loopback addresses are exempt, so all there is to see here is that they are.
        let service = try TestService { $0.maximumConnectionsPerAddress = 1 }
        let statuses = try await service.talk { first in
            let second = try TestClient(port: Int(service.server.port))
            return [try first.ask("GET", "/health").status, try second.ask("GET", "/health").status]
        }
        #expect(statuses == [200, 200])
        await service.stop()
    }

    @Test func anAddressHasRoomAgainWhenOneOfItsConnectionsIsClosed() {
        let table = ConnectionTable(limitPerAddress: 2, requestTimeout: .seconds(1))
        // None of a socket: its address is "unknown", which is counted as any other.
        let connections = [ClientConnection(descriptor: -1), ClientConnection(descriptor: -1)]
        for connection in connections {
            #expect(table.hasRoom(for: "unknown"))
            table.insert(connection)
        }
        #expect(!table.hasRoom(for: "unknown"))
        #expect(table.hasRoom(for: "192.0.2.7") && table.hasRoom(for: "127.0.0.1"))
        table.remove(connections[0])
        #expect(table.hasRoom(for: "unknown"))
    }
}
