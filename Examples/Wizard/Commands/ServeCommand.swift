import OperationServer
import OperationTracking

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

struct ServeCommand: Command {
    static let name = "serve"
    static let summary = "run the service: the HTTP API, live events, and the queue behind them"
    static let operands = ""
    static let options: [Option] = [
        Option("host", "ADDRESS", help: "listen there (default 127.0.0.1); any but a loopback address needs a token"),
        Option("port", "N", help: "listen on port N, 0 for any free one (default 8765)"),
        Option(
            "token-file",
            "FILE",
            help: "let in whoever has the token in FILE, beside programs of this user; made if it isn't there"
        ),
        Option(
            "services",
            "FILE",
            help: "look after the services in FILE (default services.json in the data directory)"
        ),
        Option("config", "FILE", help: "take these settings, as JSON; options given here go before them"),
        Option("log", "FILE", help: "print into FILE, of at most 10 MB, instead of here"),
        .data, .json,
    ]

    /// What stands before the address in the line that says that it answers.
    static let readiness = "listening on "

    /// Where it listens.
    var host: String { configuration.host }

    /// The port; 0 for any free one.
    var port: UInt16 { configuration.port }

    /// The file with the services that it is to look after; `nil` for the data directory's.
    var services: String? { configuration.services.file }

    /// The options that the configuration file gives in their place.
    var configured: Set<String> { configuration.options }

    private let configuration: ServeConfiguration
    private let log: String?
    private let json: Bool
    private let data: String

    init(_ options: ParsedOptions) throws {
        try options.refuseOperands()
        var configuration = try options.text("config").map { try ServeConfiguration(file: $0) } ?? ServeConfiguration()
        if let host = options.text("host") { configuration.host = host }
        if let port = try options.number("port", in: 0...65535) { configuration.port = UInt16(port) }
        if let file = options.text("token-file") { configuration.tokenFile = file }
        if let file = options.text("services") { configuration.services.file = file }
        self.configuration = configuration
        log = options.text("log")
        json = options.has("json")
        data = try DataDirectory.path(options)
    }

    /// Looks whether it could begin, and listen where it is to, once nobody else does. A token file that isn't there is made.
    ///
    /// - Parameter directory: the folder in which relative paths of the configuration are; `nil` for this one.
    /// - Throws: ``UsageError``.
    func check(in directory: String?) throws {
        var configuration = configuration
        configuration.tokenFile = configuration.tokenFile?.absolutePath(in: directory)
        let hasToken = configuration.tokenFile != nil
        do throws(ServerError) {
            try OperationServer.check(configuration.host, port: configuration.port, hasToken: hasToken)
        } catch {
            throw UsageError(error.message)
        }
        _ = try Service.token(configuration)
        _ = try Service.providers(configuration, data: data)
    }

    func run() async throws -> ExitCode {
        // From here on a signal ends the service in order, even while it starts.
        let (signals, wish) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let interrupt = Interrupt { wish.yield() }
        defer { interrupt.stop() }
        let logging = try log.map(ServerLog.begin)
        defer { logging?.cancel() }
        let service = try await Service(configuration, data: data)
        sayReady(at: service.url)
        for await _ in signals { break }
        await service.stop()
        return .done
    }

    private func sayReady(at url: String) {
        guard json else { return Console.line(Self.readiness + url) }
        var line = JSONWriter(capacity: 128)
        line.beginObject()
        line.key("url")
        line.value(url)
        line.key("pid")
        line.value(getpid())
        line.endObject()
        Console.json(line.bytes)
    }
}
