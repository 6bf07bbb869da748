import OllamaOperations
import OllamaStandIn
import OperationHistorySQLite
import OperationTracking
import OperationTransfer

struct DemoCommand: Command {
    static let name = "demo"
    static let summary = "pull from an embedded stand-in for Ollama, then show the history; or show the page at work"
    static let operands = ""
    static let options: [Option] = [
        Option("serve", help: "run operations of each kind in a server with its page, until Ctrl-C"),
        Option("port", "N", help: "with --serve: listen on port N of this machine (default: any free one)"),
        Option("data", "DIR", help: "keep the history in DIR (default: the folder `demo` in the usual place)"),
    ]

    private let serves: Bool
    private let port: UInt16
    private let data: String

    init(_ options: ParsedOptions) throws {
        try options.refuseOperands()
        serves = options.has("serve")
        if options.has("port"), !serves { throw UsageError("--port goes with --serve.") }
        port = try options.number("port", in: 0...65535).map { UInt16($0) } ?? 0
        data = try options.has("data") ? DataDirectory.path(options) : DataDirectory.path(options) + "/demo"
    }

    func run() async throws -> ExitCode {
        try await serves ? serve() : pullTwice()
    }

    private func serve() async throws -> ExitCode {
        // From here on a signal ends the service in order, even while it starts.
        let (signals, wish) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let interrupt = Interrupt { wish.yield() }
        defer { interrupt.stop() }
        let ollama = try OllamaStandIn(models: DemoWork.models)
        defer { ollama.stop() }
        var configuration = ServeConfiguration()
        configuration.port = port
        configuration.enabledProviders = [.ollama, .download, .process]
        configuration.ollama = try OllamaAddress(ollama.url)
        let service = try await Service(configuration, data: data, adding: [DemoWork.file])
        Console.line("Open \(service.url)/ in a browser; Ctrl-C ends the demonstration.\n")
        Console.line(
            """
            Pulls come from a stand-in for Ollama, downloads from this server: nothing leaves this machine.
            Left out: seeding icons, which asks the Noun Project with a key of yours, and the gateway's set-up, which installs
            programs. `wizard serve` has both. The history is in \(data).
            """
        )
        let work = Task { await DemoWork(service: service).run() }
        for await _ in signals { break }
        work.cancel()
        await work.value
        await service.stop()
        return .done
    }

    private func pullTwice() async throws -> ExitCode {
        let ollama = try OllamaStandIn(models: [Self.model])
        defer { ollama.stop() }
        Console.line("A stand-in for Ollama listens on \(ollama.url); nothing leaves this machine.\n")

        let code = try await pull(Self.model.name, from: ollama)
        guard code == .done else { return code }
        Console.line("\nA model that does not exist fails, and says what to do:\n")
        let second = try await pull("no-such-model", from: ollama)
        guard second == .failed else { return second == .cancelled ? .cancelled : .failed }

        Console.line("\nThe history in \(data), opened anew:\n")
        HistoryTable(page: try await History.reading(data) { try await $0.page(HistoryQuery(limit: 10)) }).print()
        return .done
    }

    private func pull(_ model: String, from ollama: OllamaStandIn) async throws -> ExitCode {
        let session = try await Session(data: data, actor: "wizard demo")
        let client = OllamaClient(address: try OllamaAddress(ollama.url), transport: CurlTransport())
        let request = PullModelProvider.Request(model: model)
        let code = try await session.run(
            request,
            with: PullModelProvider(client: client),
            retry: RetryPolicy(),
            json: false
        )
        await session.tracker.close()
        return code
    }

    /// Some hundred MB over a link that runs, crawls, stands still and loses a chunk.
    private static let model = ScriptedModel(
        name: "demo",
        layers: [
            .init(seed: "demo model", bytes: 320_000_000),
            .init(seed: "demo projector", bytes: 60_000_000),
            .init(seed: "demo template", bytes: 980),
            .init(seed: "demo config", bytes: 516),
        ],
        link: [
            .init(seconds: 2, bytesPerSecond: 60_000_000),
            .init(seconds: 2, bytesPerSecond: 15_000_000),
            .init(seconds: 0.8, bytesPerSecond: 0),
            .init(seconds: 600, bytesPerSecond: 50_000_000),
        ],
        faults: [Fault(.completedFalls(afterBytes: 200_000_000, to: 160_000_000))]
    )
}
