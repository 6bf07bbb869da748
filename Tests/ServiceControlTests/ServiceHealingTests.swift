import Foundation
import Glibc
import OperationTracking
import Testing

@testable import ServiceControl

@Suite("Putting services right", .enabled(if: Python.path != nil, Python.whenMissing))
struct ServiceHealingTests {
    @Test("healing ends the wrong process and starts the right one, and leaves the others alone")
    func heal() async throws {
        let ports = try (0..<3).map { _ in try freePort() }
        let fixture = try ServiceFixture([
            ServiceDefinition(
                name: "one",
                port: ports[0],
                processName: "x",
                startupCommand: .shell(webServer(ports[0]))
            ),
            ServiceDefinition(name: "two", port: ports[1], processName: "x"),
            ServiceDefinition(name: "three", port: ports[2], processName: "python"),
        ])
        let children = try ports.map { try Child(shell: webServer($0)) }
        for (port, child) in zip(ports, children) { try await waitForListener(port, child.pid) }
        let plan = try await fixture.services.recover(.portConflicts, isDryRun: true, by: "a test")
        #expect(plan.steps.map(\.action) == [.restart, .kill])
        #expect(plan.steps.allSatisfy { $0.outcome == .planned })
        let report = try await fixture.services.heal(by: "a test")
        #expect(report.isComplete)
        #expect(report.summary == "2 of 2 services put right.")
        let statuses = try await fixture.services.status().map(\.status)
        #expect(statuses == [.running, .stopped, .running])
        let holder = try PortScanner().use(of: ports[0]).holders.first
        #expect(holder?.identity.pid != children[0].pid)
        #expect(try PortScanner().use(of: ports[2]).holders.map(\.identity.pid) == [children[2].pid])
        #expect(try await fixture.services.heal(by: "a test").steps.isEmpty)
        let stopped = try await fixture.services.stopAll(by: "a test")
        #expect(stopped.stopped == ["one"])
    }

    @Test("healing what was shown ends nobody who has come since, and touches no other service")
    func healsWhatWasShown() async throws {
        let ports = try (0..<3).map { _ in try freePort() }
        let fixture = try ServiceFixture(
            zip(["one", "two", "three"], ports).map { ServiceDefinition(name: $0, port: $1, processName: "x") }
        )
        let first = try Child(shell: webServer(ports[0]))
        let second = try Child(shell: webServer(ports[1]))
        try await waitForListener(ports[0], first.pid)
        try await waitForListener(ports[1], second.pid)
        let plan = try await fixture.services.recover(.portConflicts, isDryRun: true, by: "a test")
        #expect(plan.steps.map { $0.holders.map(\.pid) } == [[first.pid], [second.pid]])
        // While the person thinks, another takes the second's place, and a third port is taken.
        kill(second.pid, SIGKILL)
        await second.end()
        let newcomer = try Child(shell: webServer(ports[1]))
        let third = try Child(shell: webServer(ports[2]))
        try await waitForListener(ports[1], newcomer.pid)
        try await waitForListener(ports[2], third.pid)
        let report = try await fixture.services.heal(expecting: plan.holders, by: "a test")
        #expect(report.steps.map(\.service) == ["one", "two"])
        #expect(report.steps.map(\.outcome) == [.done, .failed])
        #expect(report.steps[1].reason.contains("(pid \(newcomer.pid))"))
        #expect(kill(newcomer.pid, 0) == 0 && kill(third.pid, 0) == 0)
        #expect(try PortScanner().use(of: ports[0]).isFree)
    }

    @Test("services that share a port are not healed into each other, nor started both, and the reason names them")
    func sharedPort() async throws {
        let port = try freePort()
        let definitions = ["one", "two"].map {
            ServiceDefinition(name: $0, port: port, processName: "x", startupCommand: .shell(webServer(port)))
        }
        let fixture = try ServiceFixture(definitions)
        let started = try await fixture.services.startAll(by: "a test")
        #expect(started.steps.map(\.outcome) == [.skipped, .skipped])
        let child = try Child(shell: webServer(port))
        try await waitForListener(port, child.pid)
        let report = try await fixture.services.heal(by: "a test")
        #expect(report.steps.map(\.outcome) == [.skipped, .skipped])
        #expect(report.steps.allSatisfy { $0.reason.contains("one and two have the same port, \(port)") })
        #expect(kill(child.pid, 0) == 0)
    }

    @Test("what can't be put right is skipped with its reason, and the operation has failed")
    func incomplete() async throws {
        let listener = try Listener()
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", port: listener.port, processName: "node")])
        let report = try await fixture.services.heal(by: "a test")
        #expect(report.steps.map(\.outcome) == [.skipped])
        #expect(report.steps.first?.reason.contains("this program itself") == true)
        #expect(!report.isComplete)
        #expect(fixture.tracker.recentOperations().first?.status == .failed)
    }

    @Test("what watches over those that are to be ended is told with the conflict and with the plan")
    func supervisor() async throws {
        let system = ScriptedPorts { state in
            let systemd = { ProcessSupervisor(kind: .systemd, unit: $0, advice: "Ask systemd.") }
            state.add(10, "python3", has: [1], supervisor: systemd("web.service"))
            state.add(11, "caddy", has: [2], supervisor: systemd("caddy.service"))
            state.listen(80, inode: 1)
            state.listen(80, inode: 2)
            state.add(20, "python3", has: [3], supervisor: systemd("api.service"))
            state.add(21, "caddy", has: [4])
            state.listen(81, inode: 3)
            state.listen(81, inode: 4)
        }
        let services = ["web", "api"].enumerated().map {
            ServiceDefinition(name: $1, port: UInt16(80 + $0), processName: "python")
        }
        let fixture = try ServiceFixture(services, system: system)
        #expect(try await fixture.services.conflicts().conflicts.map(\.supervisor) == ["systemd (caddy.service)", nil])
        let plan = try await fixture.services.recover(.portConflicts, isDryRun: true, by: "a test")
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let steps = try plan.steps.map { String(decoding: try encoder.encode($0), as: UTF8.self) }
        #expect(
            steps[0].hasSuffix(#""supervisor":"systemd (caddy.service)"}"#)
                && steps[1].hasSuffix(#""supervisor":null}"#)
        )
    }

    @Test("all who hold a port are named, and those alone are ended who hold it in the service's place")
    func besideItsOwn() async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([
            ServiceDefinition(name: "web", port: port, processName: "python", startupCommand: .shell(webServer(port))),
            ServiceDefinition(name: "other", port: port, processName: "x", isEnabled: false),
        ])
        let own = try Child(shell: webServer(port))
        try await waitForListener(port, own.pid)
        let wrong = try await sleeper(beside: port)
        let both = try await fixture.services.status(of: "other").detail
        #expect(both?.contains("(pid \(own.pid))") == true && both?.contains("sleep (pid \(wrong.pid))") == true)
        let conflict = try #require(try await fixture.services.conflicts().conflicts.first)
        #expect(!conflict.isCorrect && conflict.pid == wrong.pid && conflict.heldBy == "sleep (pid \(wrong.pid))")
        #expect(
            Set(conflict.holders.map { [$0.process.pid, $0.isCorrect ? 1 : 0] }) == [[own.pid, 1], [wrong.pid, 0]]
        )
        let report = try await fixture.services.heal(by: "a test")
        #expect(report.isComplete && report.steps.map(\.action) == [.kill], "\(report.summary)")
        #expect(report.steps.map { $0.holders.map(\.pid) } == [[wrong.pid]])
        #expect(try PortScanner().use(of: port).holders.map(\.identity.pid) == [own.pid])
        #expect(try await fixture.services.status(of: "web").status == .running)
    }

    @Test("a plan names all who are to be ended, and starts the service in their place")
    func severalWrong() async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([ServiceDefinition(name: "web", port: port, processName: "x")])
        let first = try Child(shell: webServer(port))
        try await waitForListener(port, first.pid)
        let second = try await sleeper(beside: port)
        let plan = try await fixture.services.recover(.portConflicts, isDryRun: true, by: "a test")
        let reason = try #require(plan.steps.first?.reason)
        #expect(reason.contains("(pid \(first.pid))") && reason.contains("(pid \(second.pid))"))
        #expect(try await fixture.services.heal(expecting: plan.holders, by: "a test").isComplete)
        #expect(try PortScanner().use(of: port).isFree)
    }

    @Test("two who heal at once have both done it, and the service is started once")
    func atOnce() async throws {
        let port = try freePort()
        let fixture = try ServiceFixture([
            ServiceDefinition(name: "web", port: port, processName: "x", startupCommand: .shell(webServer(port)))
        ])
        let other = try fixture.anotherController()
        let child = try Child(shell: webServer(port))
        try await waitForListener(port, child.pid)
        // Both have looked before either can do anything.
        let lock = try fixture.services.folder.lock(of: "web")
        let healings = [fixture.services, other].map { services in Task { try await services.heal(by: "a test") } }
        try await eventually { fixture.tracker.activeOperations.count { $0.phase == "restart" } == 2 }
        lock?.release()
        for healing in healings {
            let report = try await healing.value
            #expect(report.isComplete, "\(report.summary)")
        }
        let restarts = fixture.tracker.recentOperations().filter { $0.type == .restartService }
        #expect(restarts.count { $0.status == .completed } == 1)
        #expect(try await fixture.services.status(of: "web").status == .running)
        try await other.stop("web", by: "a test")
    }

    @Test("a recovery has the name that it was given, once")
    func named() async throws {
        let fixture = try ServiceFixture([ServiceDefinition(name: "sleeper", startupCommand: .shell("exec sleep 60"))])
        let id = try #require(OperationID(rawValue: "op_mine"))
        let report = try await fixture.services.recover(.stoppedServices, named: id, by: "a test")
        #expect(report.isComplete && fixture.tracker.recentOperations().contains { $0.id == id })
        try await fixture.services.stop("sleeper", by: "a test")
        await #expect(throws: OperationError.self) {
            try await fixture.services.recover(.stoppedServices, named: id, by: "a test")
        }
    }

    @Test("enabled services with a command are started in their order")
    func startAll() async throws {
        let ports = try (0..<2).map { _ in try freePort() }
        let fixture = try ServiceFixture([
            ServiceDefinition(name: "b", port: ports[0], startupCommand: .shell(webServer(ports[0]))),
            ServiceDefinition(name: "a", port: ports[1], startupCommand: .shell(webServer(ports[1]))),
            ServiceDefinition(name: "off", startupCommand: .shell("sleep 1"), isEnabled: false),
        ])
        #expect(try await fixture.services.startAll(by: "a test").steps.map(\.service) == ["b", "a"])
        #expect(try await fixture.services.stopAll(by: "a test").stopped == ["a", "b"])
    }
}
