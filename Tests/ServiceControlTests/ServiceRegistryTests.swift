import Foundation
import Glibc
import Testing

@testable import ServiceControl

@Suite("The registry's file")
struct ServiceRegistryTests {
    private let folder = TemporaryFolder()

    private func registry(_ text: String? = nil) throws -> ServiceRegistry {
        if let text { try write(text) }
        return try ServiceRegistry(
            path: folder.path + "/services.json",
            now: Date(timeIntervalSince1970: 1_770_724_800)
        )
    }

    private func write(_ text: String) throws {
        try text.write(toFile: folder.path + "/services.json", atomically: true, encoding: .utf8)
    }

    private var text: String {
        get throws { try String(contentsOfFile: folder.path + "/services.json", encoding: .utf8) }
    }

    @Test("where there is none, one with the original's services is made")
    func defaults() throws {
        let registry = try registry()
        #expect(registry.services == ServiceDefinition.defaults)
        #expect(registry.services.map(\.name) == ["wizard", "api", "vite", "tauri"])
        #expect(registry.services.map(\.port) == [8765, 5001, 5173, nil])
        #expect(registry.services.map(\.isEnabled) == [true, false, true, true])
        #expect(registry.setAside == nil)
        #expect(registry.services.allSatisfy { $0.problems.isEmpty })
    }

    @Test("what it was opened with is in force also where the file is broken before the first look")
    func brokenBeforeTheFirstLook() throws {
        let registry = try registry(#"{"services": [{"name": "a"}]}"#)
        try write("{")
        #expect(registry.services.map(\.name) == ["a"])
        #expect(registry.problem?.code == .invalidRegistry)
    }

    @Test("services have all their fields, and commands of both forms")
    func fields() throws {
        let service = try #require(
            try registry(
                """
                {"services": [{"name": "a", "port": 80, "environment": "experimental", "process_name": "node",
                  "description": "d", "startup_cmd": "npm run dev", "shutdown_cmd": ["kill", "it now"],
                  "health_endpoint": "/ok", "enabled": false}]}
                """
            ).services.first
        )
        #expect(service.port == 80)
        #expect(service.environment == .experimental)
        #expect(service.startupCommand == .shell("npm run dev"))
        #expect(service.shutdownCommand?.description == "kill 'it now'")
        #expect(service.healthURL() == "http://127.0.0.1:80/ok")
        #expect(!service.isEnabled)
    }

    @Test("a change keeps the order, keys that are not known, and what was not changed as it was written")
    func keeps() async throws {
        let registry = try registry(
            """
            {"$schema": "x", "services": [{"port": 81, "name": "b", "note": {"z": 1.50, "a": []}},
              {"name": "a"}], "last": null}
            """
        )
        try await registry.update("b") { $0.port = 82 }
        try await registry.register(ServiceDefinition(name: "c"))
        #expect(registry.services.map(\.name) == ["b", "a", "c"])
        let text = try text
        #expect(
            text.hasPrefix(
                """
                {
                  "$schema": "x",
                  "services": [
                    {
                      "port": 82,
                      "name": "b",
                      "note": {
                        "z": 1.50,
                        "a": []
                      }
                    },
                    {
                      "name": "a"
                    },
                    {
                      "name": "c",
                """
            )
        )
        #expect(text.hasSuffix("\"last\": null\n}\n"))
    }

    @Test("an argument may be empty")
    func emptyArgument() throws {
        let registry = try registry(#"{"services": [{"name": "a", "startup_cmd": ["true", "x", ""]}]}"#)
        #expect(registry.setAside == nil)
        #expect(registry.services.first?.startupCommand == .program(["true", "x", ""]))
    }

    @Test("a change keeps the file's mode, and its owner where the system lets it")
    func modeAndOwner() async throws {
        let registry = try registry(#"{"services": [{"name": "a"}]}"#)
        chmod(registry.path, 0o640)
        if isRoot { chown(registry.path, .max, 2345) }
        try await registry.update("a") { $0.port = 82 }
        var status = stat()
        try #require(stat(registry.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o640)
        if isRoot { #expect(status.st_uid == 0 && status.st_gid == 2345) }
        #expect(try text.contains("82"))
    }

    @Test(
        "a change is written behind a symbolic link, which stays, whether its target is there or not",
        arguments: [true, false]
    )
    func symbolicLink(isThere: Bool) async throws {
        let target = folder.path + "/elsewhere.json"
        if isThere { try #"{"services": [{"name": "a"}]}"#.write(toFile: target, atomically: true, encoding: .utf8) }
        try #require(symlink("elsewhere.json", folder.path + "/services.json") == 0)
        let registry = try registry()
        try await registry.update(registry.services[0].name) { $0.port = 4321 }
        var status = stat()
        #expect(lstat(registry.path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
        #expect(try String(contentsOfFile: target, encoding: .utf8).contains("4321"))
    }

    @Test("a broken one is set aside under the time's name, and the defaults take its place")
    func broken() throws {
        let text = "{\"services\": [\n{\"name\": \"a\",}]}"
        let registry = try registry(text)
        let moved = try #require(registry.setAside)
        #expect(moved.path == folder.path + "/services.invalid-20260210T120000Z.json")
        #expect(try String(contentsOfFile: moved.path, encoding: .utf8) == text)
        #expect(moved.reason.message.contains("Line 2"))
        #expect(registry.services == ServiceDefinition.defaults)
        #expect(moved.description.contains(moved.path))
    }

    @Test("that one was set aside is a warning, until the default services are in force no more")
    func warnsOfBroken() async throws {
        let registry = try registry("x")
        let told = try #require(registry.setAside).description
        #expect(registry.warnings == [told])
        var registered = try #require(ServiceDefinition.defaults.first)
        registered.name = "registered"
        registered.port = 4321
        registered.registeredBy = "somebody"
        try await registry.register(registered)
        #expect(registry.warnings == [told], "what a program registers puts nothing back")
        try #"{"services": [{"name": "a"}]}"#.write(toFile: registry.path, atomically: true, encoding: .utf8)
        #expect(registry.warnings == [])
    }

    @Test("a second one in the same second gets a name of its own")
    func brokenTwice() throws {
        _ = try registry("x")
        let second = try registry("y")
        #expect(second.setAside?.path == folder.path + "/services.invalid-20260210T120000Z-1.json")
    }

    @Test(
        "whatever is wrong is named with its service, key and kind",
        arguments: [
            ("[]", "a list \"services\""),
            ("{\"services\": {}}", "a list \"services\""),
            ("{\"services\": [{\"name\": \"a\"}, 1]}", "Service 2 of the list is a number"),
            ("{\"services\": [{\"port\": 1}]}", "Service 1 of the list: a \"name\", a text, is missing"),
            ("{\"services\": [{\"name\": 5}]}", "Service 1 of the list: name is a number"),
            ("{\"services\": [{\"name\": \"a\", \"startup_cmd\": []}]}", "a: startup_cmd is a line"),
            ("{\"services\": [{\"name\": \"a\", \"startup_cmd\": [\"\"]}]}", "a: startup_cmd is a line"),
            ("{\"services\": [{\"name\": \"a\", \"shutdown_cmd\": \"\"}]}", "a: shutdown_cmd is a line"),
            (
                "{\"services\": [{\"name\": \"a\", \"port\": \"80\"}]}",
                "a: port is a whole number from 1 to 65535 or null, not a text"
            ),
            ("{\"services\": [{\"name\": \"a\", \"port\": 0}]}", "not 0"),
            ("{\"services\": [{\"name\": \"a\", \"port\": 65536}]}", "not 65536"),
            ("{\"services\": [{\"name\": \"a\", \"port\": 80.5}]}", "not 80.5"),
            ("{\"services\": [{\"name\": \"a\", \"environment\": \"prod\"}]}", "production, development, experimental"),
            ("{\"services\": [{\"name\": \"a\", \"enabled\": \"yes\"}]}", "a: enabled is true or false, not a text"),
            ("{\"services\": [{\"name\": \"a\", \"startup_cmd\": [1]}]}", "a: startup_cmd"),
            ("{\"services\": [{\"name\": \"a\", \"startup_cmd\": []}]}", "a: startup_cmd"),
            ("{\"services\": [{\"name\": \"a\", \"shutdown_cmd\": {}}]}", "not an object"),
            (
                "{\"services\": [{\"name\": \"a\", \"description\": null, \"process_name\": 3}]}",
                "process_name is a text"
            ),
            ("{\"services\": [{\"name\": \"a\", \"health_endpoint\": \"/x\"}]}", "health_endpoint \"/x\""),
            ("{\"services\": [{\"name\": \"a\", \"health_endpoint\": \"file:///x\"}]}", "health_endpoint"),
            ("{\"services\": [{\"name\": \"a/b\"}]}", "\"a/b\" is no name"),
            ("{\"services\": [{\"name\": \"../x\"}]}", "is no name"),
            ("{\"services\": [{\"name\": \"\"}]}", "is no name"),
            ("{\"services\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}", "two services have this name"),
        ]
    )
    func wrong(_ text: String, _ part: String) throws {
        let reason = try #require(try registry(text).setAside?.reason)
        #expect(reason.code == .invalidRegistry)
        #expect(reason.message.contains(part), "\(reason.message)")
    }

    @Test("a file has as many services as may be registered, and no more", arguments: [256, 257])
    func tooMany(count: Int) throws {
        let services = (0..<count).map { #"{"name": "s\#($0)"}"# }.joined(separator: ",")
        let registry = try registry(#"{"services": [\#(services)]}"#)
        #expect((registry.setAside == nil) == (count <= ServiceRegistry.limit))
        if let moved = registry.setAside { #expect(moved.reason.message.contains("257 services: there may be 256")) }
    }

    @Test("everything that is wrong is said at once")
    func allProblems() throws {
        let text = "{\"services\": [{\"name\": \"a\", \"port\": true}, {\"name\": \"b\", \"enabled\": 1}]}"
        let message = try #require(try registry(text).setAside?.reason.message)
        #expect(message.contains("a: port") && message.contains("b: enabled"))
    }

    @Test("an edit is seen at the next look; a broken one is reported, not set aside, and changes nothing")
    func edits() async throws {
        let registry = try registry("{\"services\": [{\"name\": \"a\"}]}")
        try write("{\"services\": [{\"name\": \"a\"}, {\"name\": \"b\"}]}")
        #expect(registry.services.map(\.name) == ["a", "b"])
        try write("{\"services\": [")
        #expect(registry.services.map(\.name) == ["a", "b"])
        #expect(registry.problem?.code == .invalidRegistry)
        await #expect(throws: ServiceError.self) { try await registry.register(ServiceDefinition(name: "c")) }
        #expect(try text == "{\"services\": [")
        try write("{\"services\": []}")
        #expect(registry.services.isEmpty)
        #expect(registry.problem == nil)
    }

    @Test("where there are no services, that is said")
    func none() throws {
        let registry = try registry(#"{"services": []}"#)
        let error = #expect(throws: ServiceError.self) { try registry.service("web") }
        #expect(error?.message == "There is no service \"web\". There are: none in \(registry.path).")
    }

    @Test("two enabled services with one port are reported, a disabled one is not")
    func sharedPort() throws {
        let registry = try registry(
            """
            {"services": [{"name": "a", "port": 80}, {"name": "b", "port": 80}, {"name": "c", "port": 81},
                          {"name": "d", "port": 81, "enabled": false}]}
            """
        )
        #expect(registry.warnings.count == 1)
        #expect(registry.warnings.first?.contains("a and b have the same port, 80") == true)
    }

    @Test("services are registered once, and only those that were are unregistered by who may not edit the file")
    func registration() async throws {
        let registry = try registry("{\"services\": [{\"name\": \"a\"}]}")
        await #expect(throws: ServiceError.self) { try await registry.register(ServiceDefinition(name: "a")) }
        await #expect(throws: ServiceError.self) { try await registry.register(ServiceDefinition(name: "x/y")) }
        try await registry.register(ServiceDefinition(name: "b", registeredBy: "http"))
        #expect(try text.contains("\"registered_by\": \"http\""))
        await #expect(throws: ServiceError.self) { try await registry.unregister("a", onlyRegistered: true) }
        try await registry.unregister("b", onlyRegistered: true)
        try await registry.unregister("a")
        #expect(registry.services.isEmpty)
        let error = #expect(throws: ServiceError.self) { try registry.service("a") }
        #expect(error?.code == .unknownService)
    }

    @Test("a change that would leave the file too large to be read again is refused, and the file stays as it was")
    func tooLargeChange() async throws {
        let registry = try registry("{\"services\": []}")
        let text = String(repeating: "\u{1}", count: 10_000)
        var refusal: ServiceError?
        for number in 0..<ServiceRegistry.limit {
            do {
                try await registry.register(ServiceDefinition(name: "s\(number)", description: text))
            } catch {
                refusal = error
                break
            }
        }
        #expect(refusal?.code == .invalidService && refusal?.message.contains("larger than 1024 KiB") == true)
        let later = try ServiceRegistry(path: registry.path)
        #expect(later.setAside == nil && !later.services.isEmpty)
        try await later.unregister("s0")
    }

    @Test("a file that is too large is no valid registry, and is set aside")
    func tooLarge() throws {
        let registry = try registry("{\"services\": []}" + String(repeating: " ", count: 1 << 20))
        #expect(registry.setAside?.reason.message.contains("larger than 1024 KiB") == true)
    }

    @Test("a text that alone would fill much of the file is refused", arguments: [16384, 16385])
    func longText(_ count: Int) {
        let text = String(repeating: "x", count: count)
        let services = [
            ServiceDefinition(name: "a", processName: text), ServiceDefinition(name: "a", description: text),
            ServiceDefinition(name: "a", startupCommand: .program([String(text.dropLast()), "x"])),
            ServiceDefinition(name: "a", port: 80, healthEndpoint: "/" + text.dropLast()),
        ]
        for service in services { #expect(service.problems.isEmpty == (count == 16384)) }
    }

    @Test("a file that was away and is back as it was is all right again")
    func putBack() throws {
        let registry = try registry("{\"services\": [{\"name\": \"a\"}]}")
        rename(registry.path, registry.path + ".away")
        #expect(registry.problem?.message.contains("is gone") == true)
        #expect(registry.services.map(\.name) == ["a"], "what was read as it was opened stays in force")
        rename(registry.path + ".away", registry.path)
        #expect(registry.problem == nil && registry.services.map(\.name) == ["a"])
    }

    @Test("a change to a name that another service has is refused; one who registered it can be taken out")
    func updates() async throws {
        let registry = try registry(
            "{\"services\": [{\"name\": \"a\"}, {\"name\": \"b\", \"registered_by\": \"http\"}]}"
        )
        let error = await #expect(throws: ServiceError.self) { try await registry.update("b") { $0.name = "a" } }
        #expect(error?.code == .invalidService && error?.message.contains("two services") == true)
        #expect(registry.services.map(\.name) == ["a", "b"] && registry.problem == nil)
        try await registry.update("b") { $0.registeredBy = nil }
        #expect(try registry.service("b").registeredBy == nil)
        #expect(try !text.contains("registered_by"))
    }

    @Test("a change waits for another program's, and gives up where that stands still")
    func held() async throws {
        let registry = try registry("{\"services\": []}")
        let lock = open(registry.path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        try #require(flock(lock, LOCK_EX) == 0)
        let impatient = RegistryFile(path: registry.path, patience: .milliseconds(20))
        let error = await #expect(throws: ServiceError.self) { try await impatient.locked {} }
        #expect(error?.code == .system && error?.message.contains("services.json.lock") == true)
        async let change: Void = registry.register(ServiceDefinition(name: "b"))
        try await eventually("it waits") { SystemProcess.openCount(of: registry.path + ".lock") == 2 }
        #expect(registry.services.isEmpty)
        close(lock)
        try await change
        #expect(registry.services.map(\.name) == ["b"])
    }

    @Test("changes by several at once are all kept")
    func concurrentChanges() async throws {
        let path = try registry("{\"services\": []}").path
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    try await ServiceRegistry(path: path).register(ServiceDefinition(name: "s\(number)"))
                }
            }
            try await group.waitForAll()
        }
        #expect(try Set(ServiceRegistry(path: path).services.map(\.name)) == Set((0..<8).map { "s\($0)" }))
    }

    @Test("a file is read where it can't be locked, and not changed")
    func withoutLock() async throws {
        // As in a folder where this user may not write.
        mkdir(folder.path + "/services.json.lock", 0o755)
        let registry = try registry(#"{"services": [{"name": "a"}]}"#)
        #expect(registry.services.map(\.name) == ["a"] && registry.problem == nil)
        await #expect(throws: ServiceError.self) { try await registry.register(ServiceDefinition(name: "b")) }
        #expect(registry.services.map(\.name) == ["a"])
    }

    @Test("a folder that isn't there is said to be missing")
    func noFolder() {
        let error = #expect(throws: ServiceError.self) { try ServiceRegistry(path: folder.path + "/no/services.json") }
        #expect(error?.code == .system)
    }
}
