import OperationTracking

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif
import Synchronization

/// The services of this machine: a JSON file that people edit and programs change.
///
/// ```json
/// {"services": [{"name": "vite", "port": 5173, "environment": "development", "process_name": "node",
///                "startup_cmd": "npm run dev", "health_endpoint": "/"}]}
/// ```
///
/// The order of the services and keys that are not known are kept. A change is written in one step, and several programs
/// may make changes. An edit is seen at the next look; while it is no valid registry, what was read last stays in force.
public final class ServiceRegistry: Sendable {
    /// The most services that there may be.
    public static let limit = 256

    private struct State {
        var services: [ServiceDefinition] = []
        var stamp: RegistryFile.Stamp?
        var problem: ServiceError?
    }

    private let file: RegistryFile
    private let state: Mutex<State>
    /// Where the file went that was there when the registry was opened and could not be read, and why; `nil` when all was
    /// well.
    public let setAside: SetAsideRegistry?

    /// Opens a registry. Where there is no file, one with ``ServiceDefinition/defaults`` is made; one that is no valid
    /// registry is renamed (``setAside``), and the defaults take its place.
    ///
    /// - Parameters:
    ///   - path: the file, such as `services.json` in a data directory that exists.
    ///   - setsAside: whether one that is no valid registry is set aside. That is for a service which has to run; whoever acts once
    ///     is better told of the mistake, and does nothing to services that nobody has named.
    ///   - now: the time that goes into the name of a file that is set aside.
    /// - Throws: ``ServiceError``: `system` when the file can be neither read nor made; `invalid_registry` for one that is not set
    ///   aside.
    public init(path: String, settingAsideInvalid setsAside: Bool = true, now: Date = Date()) throws(ServiceError) {
        let file = RegistryFile(path: path)
        self.file = file
        // Before the file is read, so that a change meanwhile is seen.
        let stamp = file.stamp
        var read: [ServiceDefinition]?
        do throws(ServiceError) {
            // Whoever only looks needs no lock, which can't be had in a folder where this user may not write.
            read = try file.read()?.services
        } catch {
            guard error.code == .invalidRegistry, setsAside else { throw error }
        }
        state = Mutex(read.map { State(services: $0, stamp: stamp) } ?? State())
        guard read == nil else {
            setAside = nil
            return
        }
        setAside = try file.lockedBlocking { () throws(ServiceError) -> SetAsideRegistry? in
            var moved: SetAsideRegistry?
            do throws(ServiceError) {
                if try file.read() != nil { return nil }
            } catch {
                guard error.code == .invalidRegistry, setsAside else { throw error }
                moved = SetAsideRegistry(path: try file.setAside(at: now), reason: error)
            }
            try file.write(RegistryFile.document(of: ServiceDefinition.defaults))
            return moved
        }
        _ = services
    }

    /// The file.
    public var path: String { file.path }

    /// All services, in the order of the file.
    public var services: [ServiceDefinition] {
        state.withLock { state in
            let stamp = file.stamp
            guard stamp == nil || stamp != state.stamp else {
                // It may have been away, or another, since.
                state.problem = nil
                return state.services
            }
            do throws(ServiceError) {
                guard let (_, services) = try file.read() else {
                    throw ServiceError(.invalidRegistry, "\(file.path) is gone: put it back, or start anew.")
                }
                state = State(services: services, stamp: stamp)
            } catch {
                state.problem = error
            }
            return state.services
        }
    }

    /// What is wrong with the file as it is now, while ``services`` are those read last; `nil` when nothing is.
    public var problem: ServiceError? {
        _ = services
        return state.withLock { $0.problem }
    }

    /// What people should know although it stops nothing, in a sentence or two each: that the file was set aside, while the default
    /// services are in force in its place; and two enabled services with one port, which is allowed and yet hardly meant.
    public var warnings: [String] {
        let persons = services.filter { $0.registeredBy == nil }
        let moved = persons == ServiceDefinition.defaults ? setAside.map(\.description) : nil
        return (moved.map { [$0] } ?? []) + Set(sharedPorts.values).sorted()
    }

    /// The services whose port another enabled one has, each with a sentence that names all of them. What was registered while a
    /// program ran counts for nothing against what a person put into the file.
    package var sharedPorts: [String: String] {
        let enabled = services.filter { $0.isEnabled && $0.port != nil }
        var shared: [String: String] = [:]
        for (port, services) in Dictionary(grouping: enabled, by: { $0.port ?? 0 }) where services.count > 1 {
            let names = services.map(\.name).joined(separator: " and ")
            let text = "\(names) have the same port, \(port): only one of them can run. Reassign or disable one."
            let isOnlyPersons = services.count { $0.registeredBy == nil } == 1
            for service in services where service.registeredBy != nil || !isOnlyPersons { shared[service.name] = text }
        }
        return shared
    }

    /// The service with this name.
    ///
    /// - Throws: ``ServiceError`` (`unknown_service`) when there is none.
    public func service(_ name: String) throws(ServiceError) -> ServiceDefinition {
        let services = services
        if let found = services.first(where: { $0.name == name }) { return found }
        let names = services.isEmpty ? "none in \(path.shown)" : services.map(\.name).joined(separator: ", ")
        let why = problem.map { " What the file says by now is not in force: \($0.message)" } ?? ""
        throw ServiceError(.unknownService, "There is no service \"\(name.shown)\". There are: \(names).\(why)")
    }

    /// Adds a service at the end.
    ///
    /// - Throws: ``ServiceError``: `invalid_service`, `duplicate_service`, `invalid_registry`, `system`.
    public func register(_ service: ServiceDefinition) async throws(ServiceError) {
        if let problem = service.problems.first { throw ServiceError(.invalidService, problem) }
        try await change { document, services throws(ServiceError) in
            if let known = services.first(where: { $0.name == service.name }) {
                let isPersons = known.registeredBy == nil && service.registeredBy != nil
                let advice =
                    isPersons
                    ? ", which a person put into \(file.path): choose another name, or have that changed there."
                    : ": unregister it first."
                throw ServiceError(
                    .duplicateService,
                    "There is a service \"\(service.name)\" already\(advice)"
                )
            }
            guard services.count < Self.limit else {
                throw ServiceError(.invalidService, "There are \(Self.limit) services already: unregister one first.")
            }
            document.append(service.json)
        }
    }

    /// Takes a service in the place of one with its name that was registered while a program ran.
    ///
    /// - Returns: whether there was one.
    /// - Throws: ``ServiceError``: `invalid_service`, `invalid_registry`, `system`.
    func replaceRegistered(with service: ServiceDefinition) async throws(ServiceError) -> Bool {
        guard services.contains(where: { $0.name == service.name && $0.registeredBy != nil }) else { return false }
        var isReplaced = false
        try await update(service.name) { known in
            // A person may have made it his own meanwhile.
            isReplaced = known.registeredBy != nil
            if isReplaced { known = service }
        }
        return isReplaced
    }

    /// Takes a service out.
    ///
    /// - Parameters:
    ///   - name: its name.
    ///   - onlyRegistered: whether one that a person put into the file stays, as for a caller that may not edit the file.
    /// - Throws: ``ServiceError``: `unknown_service`, `not_permitted`, `invalid_registry`, `system`.
    public func unregister(_ name: String, onlyRegistered: Bool = false) async throws(ServiceError) {
        _ = try service(name)
        try await change { document, services throws(ServiceError) in
            guard let index = services.firstIndex(where: { $0.name == name }) else {
                throw ServiceError(.unknownService, "There is no service \"\(name)\" any more.")
            }
            guard services[index].registeredBy != nil || !onlyRegistered else {
                throw ServiceError(
                    .notPermitted,
                    "\(name) was put into \(file.path) by hand, and is taken out by hand: edit the file."
                )
            }
            document.remove(at: index)
        }
    }

    /// Changes a service; what is not changed stays in the file as it was written.
    ///
    /// - Throws: ``ServiceError``: `unknown_service`, `invalid_service`, `invalid_registry`, `system`.
    public func update(_ name: String, _ body: (inout ServiceDefinition) -> Void) async throws(ServiceError) {
        _ = try service(name)
        try await change { document, services throws(ServiceError) in
            guard let index = services.firstIndex(where: { $0.name == name }) else {
                throw ServiceError(.unknownService, "There is no service \"\(name)\" any more.")
            }
            var changed = services[index]
            body(&changed)
            if let problem = changed.problems.first { throw ServiceError(.invalidService, problem) }
            let before = Dictionary(services[index].fields.map { ($0.key, $0.value) }) { $1 }
            for (key, value) in changed.fields where before[key] != value { document[index][key] = value }
            let after = Set(changed.fields.map(\.key))
            for key in before.keys where !after.contains(key) { document[index][key] = nil }
        }
    }

    private func change(
        _ body: (inout [OrderedJSON], [ServiceDefinition]) throws(ServiceError) -> Void
    ) async throws(ServiceError) {
        try await file.locked { () throws(ServiceError) in
            guard let (read, services) = try file.read(), var values = read["services"]?.elements else {
                throw ServiceError(.invalidRegistry, "\(file.path) is gone: put it back, or start anew.")
            }
            try body(&values, services)
            var document = read
            document["services"] = .array(values)
            try file.write(document)
        }
        // Two writes within one tick of the file system's clock may look alike; the new file's inode doesn't.
        _ = services
    }
}

/// A registry's file that could not be read, and was renamed so that nothing is lost.
public struct SetAsideRegistry: Sendable, Hashable, CustomStringConvertible {
    /// Where it is now.
    public var path: String
    /// What is wrong with it.
    public var reason: ServiceError

    /// Both, in two sentences.
    public var description: String {
        "\(reason.message) The file is now \(path); the default services are in force until it is mended and put back."
    }
}
