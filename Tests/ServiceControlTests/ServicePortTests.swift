import OperationTracking
import Testing

@testable import ServiceControl

@Suite("Ports and registrations")
struct ServicePortTests {
    @Test("an available port is nobody's, and a service is moved to it with its health endpoint")
    func ports() async throws {
        let listener = try Listener()
        let fixture = try ServiceFixture([
            ServiceDefinition(name: "web", port: listener.port, healthEndpoint: "http://127.0.0.1:\(listener.port)/ok"),
            ServiceDefinition(name: "other", port: listener.port == .max ? 1024 : listener.port + 1),
        ])
        let port = try await fixture.services.availablePort(from: listener.port)
        #expect(port != listener.port)
        #expect(!fixture.services.registry.services.contains { $0.port == port })
        let error = try await fixture.error {
            try await fixture.services.reassign("other", to: listener.port, by: "a test")
        }
        #expect(error.code == .notPossible)
        let new = try await fixture.services.reassign("web", by: "a test")
        let service = try fixture.services.registry.service("web")
        #expect(service.port == new)
        #expect(service.healthEndpoint == "http://127.0.0.1:\(new)/ok")
        #expect(try await fixture.noted().map(\.action) == ["service.reassigned"])
        let held = try await fixture.error {
            try await fixture.services.reassign("web", to: listener.port, by: "a test")
        }
        #expect(held.code == .portConflict)
    }

    @Test("the environment script is one that a shell reads")
    func environment() throws {
        let fixture = try ServiceFixture([
            ServiceDefinition(name: "my-app.2", port: 80), ServiceDefinition(name: "my_app_2", port: 81),
            ServiceDefinition(name: "3d", port: 82), ServiceDefinition(name: "off", port: 83, isEnabled: false),
            ServiceDefinition(name: "tauri"),
        ])
        let lines = fixture.services.environmentScript.split(separator: "\n").dropFirst()
        #expect(
            lines == [
                "export MY_APP_2_PORT=80", "# my_app_2 has the same variable as my-app.2, and is left out.",
                "export _3D_PORT=82",
            ]
        )
    }

    @Test("what is registered over the network has no commands, asks this machine only, and goes again")
    func registration() async throws {
        let fixture = try ServiceFixture([ServiceDefinition(name: "web")])
        let services = fixture.services
        try await services.register(ServiceDefinition(name: "extension", port: 9000), by: "http")
        #expect(try services.registry.service("extension").registeredBy == "http")
        let command = ServiceDefinition(name: "x", startupCommand: .shell("id"))
        #expect(try await fixture.error { try await services.register(command, by: "http") }.code == .notPermitted)
        let health = ServiceDefinition(name: "x", healthEndpoint: "http://169.254.169.254/latest")
        #expect(try await fixture.error { try await services.register(health, by: "http") }.code == .notPermitted)
        #expect(try await fixture.error { try await services.unregister("web", by: "http") }.code == .notPermitted)
        try await services.unregister("extension", by: "http")
        #expect(services.registry.services.map(\.name) == ["web"])
    }

    @Test(
        "a registration for a person's port is refused, and one that is there keeps nothing from being healed",
        .enabled(if: Python.path != nil, Python.whenMissing)
    )
    func registrationForAPersonsPort() async throws {
        let port = try freePort()
        var registered = ServiceDefinition(name: "extension", port: port)
        registered.registeredBy = "http"
        let web = ServiceDefinition(name: "web", port: port, processName: "x", startupCommand: .shell(webServer(port)))
        let fixture = try ServiceFixture([registered, web])
        #expect(fixture.services.registry.warnings.count == 1)
        let child = try Child(shell: webServer(port))
        try await waitForListener(port, child.pid)
        let plan = try await fixture.services.recover(.portConflicts, isDryRun: true, by: "a test")
        #expect(plan.steps.map(\.action) == [.restart])
        let error = try await fixture.error {
            try await fixture.services.register(ServiceDefinition(name: "new", port: port), by: "http")
        }
        #expect(error.code == .portConflict && error.message.contains("web"))
        let named = try await fixture.error {
            try await fixture.services.register(ServiceDefinition(name: "web", port: try freePort()), by: "http")
        }
        #expect(named.code == .duplicateService && !named.message.contains("unregister"))
    }
}
