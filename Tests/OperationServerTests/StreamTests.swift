import OperationHTTP
import OperationServer
import OperationTracking
import OperationTrackingTesting
import TestSockets
import TestSupport
import Testing

struct StreamTests {
    private static let request = "GET \(Target.stream) HTTP/1.1\r\nHost: localhost\r\n\r\n"

    @Test func eventsArriveAsTheyHappen() async throws {
        let service = try TestService()
        let tracker = service.tracker
        let text = try await service.talk { client in
            try client.send(Self.request)
            let head = try client.readHead()
            let opening = try client.readChunks(until: { $0.contains("event: snapshot") })
            Task {
                let handle = try tracker.start(type: .download, description: "watched")
                try await tracker.complete(handle.id)
            }
            let events = try client.readChunks(until: { $0.contains("event: finished") })
            return (head, opening, events)
        }
        #expect(text.0.status == 200 && text.0.header("Content-Type") == "text/event-stream")
        #expect(text.1.contains("retry:"))
        #expect(text.2.contains("watched"))
        await service.stop()
    }

    @Test func aClientThatLeavesIsForgotten() async throws {
        let service = try TestService()
        for _ in 0..<5 {
            try await service.talk { client in
                try client.send(Self.request)
                _ = try client.readHead()
                _ = try client.readChunks(until: { $0.contains("event: snapshot") })
            }
        }
        // It is noticed when there is something to send.
        while true {
            let handle = try service.tracker.start(type: .download, description: "news")
            try await service.tracker.complete(handle.id)
            if try await service.ask("GET", "/health").body.contains(#""streams":0"#) { break }
            await briefPause()
        }
        await service.stop()
    }

    @Test(.timeLimit(.minutes(Patience.minutes))) func aClientThatLeavesIsForgottenAlsoWhenNothingHappens() async throws
    {
        let service = try TestService(
            { $0.requestTimeout = .seconds(1) },
            api: { $0.heartbeat = .seconds(3600) }
        )
        try await service.talk(attempts: 3) { client in
            try client.send(Self.request)
            _ = try client.readHead()
            _ = try client.readChunks(until: { $0.contains("event: snapshot") })
        }
        try await eventually("it is forgotten") {
            (try? await service.ask("GET", "/health"))?.body.contains(#""streams":0"#) == true
        }
        await service.stop()
    }

    @Test func aClientThatHasOnlySentAllItWillSendIsServedOn() async throws {
        let service = try TestService { $0.requestTimeout = .seconds(1) }
        let tracker = service.tracker
        let text = try await service.talk(attempts: 3) { client in
            try client.send(Self.request)
            client.endSending()
            _ = try client.readHead()
            _ = try client.readChunks(until: { $0.contains("still there?") })
            Task { _ = try tracker.start(type: .download, description: "after the silence") }
            return try client.readChunks(until: { $0.contains("after the silence") })
        }
        #expect(text.contains("event: started"))
        await service.stop()
    }

    @Test func aClientThatDoesNotReadHoldsUpNobodyAndMissesNoEnding() async throws {
        let service = try TestService(api: { $0.streamInterval = .milliseconds(1) })
        let tracker = service.tracker
        let count = 200
        let ended = try await service.talk(receiveBuffer: 2048) { client in
            try client.send(Self.request)
            _ = try client.readHead()
            _ = try client.readChunks(until: { $0.contains("event: snapshot") })
            // It reads nothing more until all is over.
            let ids = TestValue<[String]>()
            Task {
                var all: [String] = []
                for number in 0..<count {
                    let text = "\(number) " + String(repeating: "long ", count: 60)
                    let handle = try tracker.start(type: .download, description: text)
                    try await tracker.complete(handle.id)
                    all.append(handle.id.rawValue)
                }
                // Somebody else is served all the while.
                let other = try await service.ask("GET", "/health")
                ids.set(other.status == 200 ? all : [])
            }
            let known = ids.waitBlocking()
            let ended = try Self.readEndings(client, until: { $0.isSuperset(of: known) })
            return ended.intersection(known).count
        }
        #expect(ended == count)
        await service.stop()
    }

    /// Reads events until the ids of the operations that have ended are enough. Each event is looked at once.
    private static func readEndings(
        _ client: TestClient,
        until isEnough: (Set<String>) -> Bool
    ) throws -> Set<String> {
        var ended: Set<String> = []
        var kind = ""
        var unread = ""
        while !isEnough(ended), let chunk = try client.readChunk() {
            unread += String(decoding: chunk, as: UTF8.self)
            var lines = unread.split(separator: "\n", omittingEmptySubsequences: false)
            unread = lines.popLast().map(String.init) ?? ""
            for line in lines {
                if line.hasPrefix("event: ") { kind = String(line.dropFirst(7)) }
                guard line.hasPrefix("data: "), kind == "finished" else { continue }
                let words = line.split(separator: "\"")
                // The name, a colon, and the id.
                guard let name = words.firstIndex(of: "operation_id"), name + 2 < words.count else { continue }
                ended.insert(String(words[name + 2]))
            }
        }
        return ended
    }

    @Test func aClientOfAnEarlierRunIsGivenTheStateAnew() async throws {
        let service = try TestService()
        let text = try await service.talk { client in
            try client.send("GET \(Target.stream) HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: gone-12\r\n\r\n")
            _ = try client.readHead()
            return try client.readChunks(until: { $0.contains("event: snapshot") })
        }
        #expect(text.contains("event: snapshot"))
        await service.stop()
    }

    @Test func aStopEndsStreamsWithWhatThereIs() async throws {
        let service = try TestService()
        let (tracker, server) = (service.tracker, service.server)
        let text = try await service.talk { client in
            try client.send(Self.request)
            _ = try client.readHead()
            let opening = try client.readChunks(until: { $0.contains("event: snapshot") })
            Task {
                _ = try tracker.start(type: .download, description: "left behind")
                await tracker.close()
                await server.stop()
            }
            // To the orderly end of the body.
            return opening + (try client.readChunks(until: { _ in false }))
        }
        #expect(text.contains("left behind") && text.contains(#""error_code":"interrupted""#))
    }

    @Test func aStopEndsStreamsOfAnAPIThatGoesOn() async throws {
        let service = try TestService()
        let server = service.server
        try await service.talk { client in
            try client.send(Self.request)
            _ = try client.readHead()
            _ = try client.readChunks(until: { $0.contains("event: snapshot") })
            Task { await server.stop() }
            _ = try client.readChunks(until: { _ in false })
        }
        await service.tracker.close()
    }

    @Test func aStopDoesNotWaitForAClientThatDoesNotReadLongerThanItsGrace() async throws {
        let service = try TestService(api: { $0.streamInterval = .milliseconds(1) })
        let (tracker, server) = (service.tracker, service.server)
        for number in 0..<500 {
            let text = "\(number) " + String(repeating: "long ", count: 80)
            _ = try tracker.start(type: .download, description: text)
        }
        try await service.talk(receiveBuffer: 2048) { client in
            try client.send(Self.request)
            _ = try client.readHead()
            let stopped = TestValue<Void>()
            Task {
                await server.stop(within: .milliseconds(20))
                stopped.set()
            }
            stopped.waitBlocking()
        }
        await tracker.close()
    }
}
