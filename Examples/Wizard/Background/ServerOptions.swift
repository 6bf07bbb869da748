import ServiceControl

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What the commands about the server of a data directory share.
struct ServerOptions {
    let data: String
    let json: Bool
    /// Where it listens, or would; 0 for anywhere.
    let port: UInt16
    /// The file of services that the server is to look after, from the root on; `nil` for the data directory's.
    let services: String?
    private let all: ParsedOptions
    /// Why it isn't known what it was started with; `nil` where it is, or there is nothing to be known.
    private let doubt: UsageError?
    private let arguments: [String]
    /// Where it runs; `nil` for this folder.
    private let directory: String?

    /// - Parameters:
    ///   - given: as given.
    ///   - isAsBefore: whether that server is meant which ran last, with the options that it was started with, but for those that are
    ///     given.
    /// - Throws: ``UsageError``, also for what `serve` would refuse; ``ServerProblem`` where the directory is another user's.
    init(_ given: ParsedOptions, asBefore isAsBefore: Bool) throws {
        data = try DataDirectory.path(given)
        try DataDirectory.requireSight(of: data)
        json = given.has("json")
        // First: what comes meanwhile is no damage.
        let record = isAsBefore ? KnownServer.record(in: data) : nil
        let before = isAsBefore ? KnownServer(in: data) : nil
        let kept: ParsedOptions?
        do {
            kept = try before.map(Self.options)
            doubt = before == nil ? record.map { UsageError("\($0) is damaged, or others may have written it.") } : nil
        } catch let error as UsageError {
            kept = nil
            doubt = error
        }
        let options = given.withAbsolutePaths(Self.kept, in: FileManager.default.currentDirectoryPath)
        // Refused here, before anything is started or ended.
        let serve = try ServeCommand(options)
        // What a configuration says that is given now goes before an option that was given earlier.
        let stillKept = Self.kept.filter { !serve.configured.contains($0.name) }
        let all = kept.map { options.keeping($0.only(stillKept)) } ?? options
        self.all = all
        let next = try? ServeCommand(all)
        arguments = Self.kept.flatMap { option in
            all.all(option.name).flatMap {
                option.argument == nil ? ["--\(option.name)"] : ["--\(option.name)", $0]
            }
        }
        let directory = kept == nil ? nil : before?.directory
        self.directory = directory
        services = (next?.services ?? all.text("services"))?.absolutePath(in: directory)
        let isElsewhere = given.has("port") || given.has("config")
        // One that has ended on any free port has none that it would have again.
        port = (isElsewhere || before?.isRunning != true ? nil : before?.port) ?? next?.port ?? serve.port
    }

    /// Looks whether a server could be started with this, what is kept among it, once the port is free. Of what it needs that is made
    /// which isn't there.
    ///
    /// - Throws: ``UsageError`` for what `serve` would refuse.
    func check() throws {
        if let doubt {
            let end = KnownServer.running(in: data) == nil ? "Give" : "End it with `wizard stop`, and give"
            throw UsageError(
                "it isn't known what the server was started with: \(doubt.message) \(end) `wizard start` the options that the next is to have."
            )
        }
        if let directory, access(directory + "/", X_OK) != 0 {
            throw UsageError(
                "the folder in which the server was started, \(directory), is gone or can't be entered: make it, or `wizard stop` and `wizard start` the server elsewhere."
            )
        }
        try ServeCommand(all).check(in: directory)
        do throws(ServiceError) {
            _ = try ServiceRegistry(path: registry, settingAsideInvalid: false)
        } catch {
            // One that is none is set aside, where this user may.
            let folder = URL(filePath: registry).deletingLastPathComponent().path
            guard error.code == .invalidRegistry, access(folder, W_OK | X_OK) == 0 else {
                throw UsageError(error.message)
            }
        }
        try ServerRecord.check(in: data)
        do throws(ServiceError) {
            try ServerLog.file(in: data).check()
        } catch {
            throw UsageError(error.message)
        }
    }

    /// The options that are given and that a server runs without, or with another argument.
    func differences(from server: KnownServer) -> [String] {
        let its = try? ParsedOptions(server.arguments, allowed: ServeCommand.options, operandsEndOptions: false)
            .withAbsolutePaths(Self.kept, in: server.directory ?? "/")
        return Self.kept.map(\.name).filter { name in
            guard let wanted = all.text(name) else { return false }
            switch name {
            case "port": return UInt16(wanted) != 0 && UInt16(wanted) != server.port
            case "token-file": return wanted.realPath != server.tokenFile?.realPath
            case "host": return wanted != its.flatMap { try? ServeCommand($0) }?.host
            default: return wanted.realPath != its?.text(name)?.realPath
            }
        }
    }

    /// Why a restart wouldn't end what holds the server's port; `nil` where it would.
    func refusal(toEnd use: PortUse) -> ServiceError? {
        do throws(ServiceError) {
            try use.checkEnding(among: readServices(), in: registry)
            return nil
        } catch {
            return error
        }
    }

    /// Says at the terminal what a server says in its log alone: that the file of services is none, and is set aside.
    func warnOfServices() {
        do throws(ServiceError) {
            _ = try readServices()
        } catch  where error.code == .invalidRegistry {
            let what = "The server sets the file aside, and takes the default services."
            Console.error("wizard: \(error.message) \(what)".printable)
        } catch {
            // Then the server can't read it either, and says so as it ends.
        }
    }

    /// The file of services.
    private var registry: String { services ?? data.absolutePath + "/services.json" }

    /// Without a file the usual services are put into one.
    private func readServices() throws(ServiceError) -> [ServiceDefinition] {
        guard FileManager.default.fileExists(atPath: registry) else { return ServiceDefinition.defaults }
        return try ServiceRegistry(path: registry, settingAsideInvalid: false).services
    }

    /// What a server keeps over a restart. Its data directory and its log every server in the background is told.
    private static let kept = ServeCommand.options.filter {
        ![Option.data.name, Option.json.name, "log"].contains($0.name)
    }

    /// What a server was started with.
    ///
    /// - Throws: ``UsageError`` where that is nothing that this program understands.
    private static func options(of server: KnownServer) throws -> ParsedOptions {
        try ParsedOptions(server.arguments, allowed: ServeCommand.options, operandsEndOptions: false)
            .only(kept).withAbsolutePaths(kept, in: server.directory ?? "/")
    }

    var state: ServerState {
        get async throws { try await ServerState(data: data, port: port) }
    }

    /// What ends a server that runs.
    func ending(of server: KnownServer) -> ServerEnding {
        ServerEnding(server: server, services: serviceFolder)
    }

    /// Whether this program is of a server's work, and would end with it.
    func isWork(of server: KnownServer) -> Bool {
        server.hasStartedThis(besides: serviceFolder)
    }

    private var serviceFolder: ServiceFolder { ServiceFolder(.init(data: data, services: services)) }

    /// What starts a server.
    var launcher: ServerLauncher { ServerLauncher(data: data, arguments: arguments, directory: directory) }
}
