#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What the commands about the server of a data directory share.
struct ServerOptions {
    let data: String
    let json: Bool
    /// Where it listens, or would; 0 for anywhere.
    let port: UInt16
    /// The file of services that the server is to look after; `nil` for the data directory's.
    let services: String?
    private let arguments: [String]
    private let isGiven: Bool

    /// - Parameters:
    ///   - options: as given.
    ///   - isAsBefore: whether, unless something else is asked for, that server is meant which ran last.
    /// - Throws: ``UsageError``, also for what `serve` would refuse.
    init(_ options: ParsedOptions, asBefore isAsBefore: Bool) throws {
        // Refused here, before anything is started or ended.
        let serve = try ServeCommand(options)
        data = try DataDirectory.path(options)
        json = options.has("json")
        services = options.text("services")?.absolutePath
        arguments = ServeCommand.options.filter { $0.name != Option.data.name }.flatMap { option in
            options.all(option.name).flatMap {
                option.argument == nil ? ["--\(option.name)"] : ["--\(option.name)", $0]
            }
        }
        isGiven = !arguments.isEmpty
        port = (isAsBefore && !isGiven ? KnownServer(in: data)?.port : nil) ?? serve.port
    }

    var state: ServerState {
        get async throws { try await ServerState(data: data, port: port) }
    }

    /// What starts a server: with what was asked for.
    var launcher: ServerLauncher { ServerLauncher(data: data, arguments: arguments) }

    /// What starts one in place of another: as that was started, unless something else is asked for.
    func launcher(replacing server: KnownServer?) -> ServerLauncher {
        guard !isGiven, let server else { return launcher }
        return ServerLauncher(data: data, arguments: server.ownArguments, directory: server.directory)
    }
}
