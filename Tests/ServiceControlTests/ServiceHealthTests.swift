import OperationTracking
import OperationTransfer
import Synchronization
import Testing

@testable import ServiceControl

@Suite("Asking health endpoints")
struct ServiceHealthTests {
    /// Answers nobody, and keeps where it was asked.
    private final class Silence: HTTPTransport {
        let urls = Mutex<[String]>([])

        func send(_ request: HTTPRequest) async throws -> HTTPResponse {
            urls.withLock { $0.append(request.url) }
            throw ServiceError(.system, "Nobody is there.")
        }
    }

    private func look(_ address: String, takesIPv4: Bool = false, health: String) async throws -> (
        ServiceReport, String?
    ) {
        let listener = try Listener(address, takesIPv4: takesIPv4)
        let transport = Silence()
        let service = ServiceDefinition(
            name: "web",
            port: listener.port,
            healthEndpoint: health.replacing("PORT", with: "\(listener.port)")
        )
        let fixture = try ServiceFixture([service], transport: transport)
        let report = try await fixture.services.status(of: "web")
        return (report, transport.urls.withLock { $0.first?.replacing("\(listener.port)", with: "PORT") })
    }

    @Test(
        "a path is asked for where the service listens",
        arguments: [
            ("127.0.0.1", false, "http://127.0.0.1:PORT/ok"), ("127.0.0.2", false, "http://127.0.0.2:PORT/ok"),
            ("0.0.0.0", false, "http://127.0.0.1:PORT/ok"), ("::1", false, "http://[::1]:PORT/ok"),
            ("::", false, "http://[::1]:PORT/ok"), ("::", true, "http://127.0.0.1:PORT/ok"),
        ]
    )
    func path(address: String, takesIPv4: Bool, url: String) async throws {
        let (_, asked) = try await look(address, takesIPv4: takesIPv4, health: "/ok")
        #expect(asked == url)
    }

    @Test("a URL is asked for as it stands there")
    func wholeURL() async throws {
        #expect(try await look("::1", health: "http://127.0.0.1:PORT/ok").1 == "http://127.0.0.1:PORT/ok")
    }

    @Test("an endpoint that doesn't answer is one sentence, with one full stop")
    func sentence() async throws {
        let (report, _) = try await look("127.0.0.1", health: "/")
        #expect(report.status == .failed && report.isHealthy == false)
        #expect(report.detail == "It runs, and its health endpoint doesn't answer: Nobody is there.")
    }

    @Test("a start that waits in vain says what its health endpoint answers")
    func startInVain() async throws {
        let service = ServiceDefinition(
            name: "web",
            startupCommand: .shell("exec sleep 1000"),
            healthEndpoint: "http://127.0.0.1:1/"
        )
        let fixture = try ServiceFixture([service], transport: Silence())
        let error = try await fixture.error { try await fixture.services.start("web", within: .zero, by: "a test") }
        #expect(error.code == .timeout)
        #expect(error.message.contains("was ended: its health endpoint doesn't answer: Nobody is there. It printed"))
    }
}
