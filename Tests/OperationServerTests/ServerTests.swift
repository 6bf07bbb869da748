import OperationHTTP
import OperationServer
import OperationTracking
import OperationTrackingTesting
import TestSockets
import TestSupport
import Testing

struct ServerTests {
    @Test func itTakesAnyFreePortAndSaysWhich() async throws {
        let service = try TestService()
        #expect(service.server.port != 0)
        #expect(service.server.url == "http://127.0.0.1:\(service.server.port)")
        await service.stop()
    }

    @Test func aStoppedServerRefusesConnections() async throws {
        let service = try TestService()
        let (port, mark) = try mark(service)
        #expect(try await isAnswering(port, mark))
        await service.server.stop()
        #expect(try await !isAnswering(port, mark))
        // Again is no error.
        await service.server.stop()
        await service.tracker.close()
    }

    @Test func aServerThatIsLetGoOfStops() async throws {
        var service: TestService? = try TestService()
        let (port, mark) = try mark(#require(service))
        #expect(try await isAnswering(port, mark))
        service = nil
        try await eventually("it has stopped") { try await !isAnswering(port, mark) }
    }

    /// The port of a server, and what it says and no other.
    private func mark(_ service: TestService) throws -> (port: Int, mark: String) {
        (Int(service.server.port), try service.tracker.start(type: .download, description: "a mark").id.rawValue)
    }

    /// Whether the server with that mark answers at a port, which another test's may have by now.
    private func isAnswering(_ port: Int, _ mark: String) async throws -> Bool {
        do {
            return try await TestClient.talk(to: port) { try $0.ask("GET", Target.operations).body.contains(mark) }
        } catch let error as SocketError where !error.isOverdue {
            return false
        }
    }

    @Test func aPortInUseIsAnErrorThatNamesItsHolder() async throws {
        let service = try TestService()
        let error = #expect(throws: ServerError.self) {
            _ = try TestService { $0.port = service.server.port }
        }
        #expect(error?.code == .portInUse)
        #expect(error?.message.contains("\(service.server.port)") == true)
        #if os(Linux)
        #expect(error?.message.contains("(pid ") == true)
        #endif
        await service.stop()
    }

    @Test(arguments: ["0.0.0.0", "::", "255.255.255.254"])
    func withoutATokenItListensOnLoopbackAlone(_ host: String) {
        let error = #expect(throws: ServerError.self) { _ = try TestService { $0.host = host } }
        #expect(error?.code == .tokenRequired)
    }

    @Test func withATokenItListensElsewhere() async throws {
        let service = try TestService(token: "a long enough secret") { $0.host = "0.0.0.0" }
        #expect(service.server.url.hasPrefix("http://0.0.0.0:"))
        await service.stop()
    }

    @Test(arguments: ["localhost", "127.0.0.5", "::1"])
    func itListensOnLoopbackByAnyName(_ host: String) async throws {
        do {
            let service = try TestService { $0.host = host }
            await service.stop()
        } catch let error as ServerError {
            // A container may have no IPv6.
            #expect(host == "::1" && (error.code == .invalidHost || error.code == .cannotListen))
        }
    }

    @Test(arguments: ["no such host", "", "203.0.113.7"])
    func aHostThatIsNotThisMachineIsAnError(_ host: String) {
        let error = #expect(throws: ServerError.self) { _ = try TestService(token: "secret") { $0.host = host } }
        #expect(error?.code == .invalidHost)
    }

    @Test func aStopWaitsForAnswersThatAreBeingMade() async throws {
        let history = SlowHistory()
        let service = try TestService(history: history)
        let server = service.server
        async let answer = service.ask("GET", Target.operations + "/op_somebody")
        await history.isAsked.value()
        async let stopped: Void = server.stop(within: Patience.deadline)
        // The port stays the stopping server's, so nobody else answers there.
        try await eventually("it is stopping") { (try? await service.ask("GET", "/health")) == nil }
        history.mayAnswer.set()
        #expect(try await answer.status == 404)
        await stopped
        await service.tracker.close()
    }

    @Test func aStopClosesWhatIsNotAnsweredInItsGrace() async throws {
        let history = SlowHistory()
        let service = try TestService(history: history)
        let server = service.server
        let asking = Task { try await service.ask("GET", Target.operations + "/op_somebody") }
        await history.isAsked.value()
        await server.stop(within: .milliseconds(10))
        await #expect(throws: SocketError.self) { try await asking.value }
        // The answer that comes after all finds nobody.
        history.mayAnswer.set()
        await service.tracker.close()
    }
}
