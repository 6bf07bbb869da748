import NounProjectOperations
import OKGatewayOperations
import OllamaOperations
import OperationDashboard
import OperationHTTP
import OperationHistorySQLite
import OperationServer
import OperationTracking
import OperationTransfer
import ProcessOperations
import ServiceControl
import ServiceControlHTTP

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

/// All that `wizard serve` runs: history, tracker, runner with its providers, the services of the machine, API and server.
struct Service {
    let tracker: OperationTracker
    let runner: OperationRunner
    private let services: ServiceController
    private let api: OperationAPI
    private let server: OperationServer
    private let record: ServerRecord
    /// Waits for the place of another server that commands find.
    private let waiting: Task<Void, Never>?
    /// Keeps the logs of services within their limit, also of those that a command has started which has ended since.
    private let logKeeping: Task<Void, Never>

    /// How long what runs may go on at a stop before it is cancelled.
    private static let stopTime: Duration = .seconds(2)

    var url: String { server.url }

    /// Opens the history, takes up what a service that is gone has left, and listens.
    ///
    /// - Parameter assets: files to serve beside the page.
    init(_ configuration: ServeConfiguration, data: String, adding assets: [APIAsset] = []) async throws {
        let token = try Self.token(configuration)
        let providers = try Self.providers(configuration, data: data)
        Self.allowManyConnections()
        let options = SQLiteHistoryStore.Options(retention: configuration.retention)
        let history = try await SQLiteHistoryStore.open(in: data, options: options)
        for notice in history.notices { Console.error("wizard serve: \(notice.printable)") }
        if case .degraded(let reason) = history.health {
            Console.error("wizard serve: nothing is kept for now: \(reason.printable)")
        }
        tracker = try Self.tracker(configuration, history: history, data: data)
        runner = OperationRunner(tracker: tracker, providers: providers, configuration: Self.queue(configuration))
        do {
            services = try configuration.services.controller(data: data, tracker: tracker, audit: history) {
                Console.error("wizard serve: \($0.printable)")
            }
            api = OperationAPI(
                tracker: tracker,
                runner: runner,
                services: services,
                assets: Dashboard.assets + assets,
                configuration: Self.api(configuration, token: token)
            )
            // Before anything is taken up: a service that can't listen is none.
            server = try OperationServer(api, configuration: Self.server(configuration))
            // So that the first who asks is told how busy the processors are: that takes an earlier look.
            _ = await tracker.assessOverload()
            if history.health == .ok { try await runner.takeUp(retry: RetryPolicy()) }
            let record = try ServerRecord(
                url: server.url,
                ollama: configuration.enabledProviders.contains(.ollama) ? Self.address(configuration).url : nil,
                tokenFile: configuration.tokenFile?.absolutePath,
                in: data
            )
            self.record = record
            waiting = try await record.write().map { other in Task { await record.write(after: other) } }
            if let interval = configuration.services.monitorInterval {
                await services.startMonitoring(every: interval)
            }
            logKeeping = Task { [services] in await services.keepLogs() }
        } catch {
            await tracker.close()
            throw error
        }
    }

    /// Ends the work, then those who watch, then the server: so that everybody sees how it ended.
    func stop() async {
        api.stopTakingWork()
        logKeeping.cancel()
        async let servicesAreLeft: Void = services.shutDown(within: Self.stopTime)
        await runner.shutDown(within: Self.stopTime)
        await servicesAreLeft
        await tracker.close()
        await server.stop()
        waiting?.cancel()
        await waiting?.value
        await record.remove()
    }

    private static func tracker(
        _ configuration: ServeConfiguration,
        history: SQLiteHistoryStore,
        data: String
    ) throws -> OperationTracker {
        var settings = OperationTracker.Configuration()
        settings.actor = "wizard serve"
        settings.dataDirectory = data
        settings.adaptsOverloadPolicy = configuration.adaptsOverload
        let tracker = OperationTracker(history: history, configuration: settings)
        tracker.overloadPolicy = configuration.overload
        try tracker.bandwidth.setLimit(configuration.bandwidthLimit)
        return tracker
    }

    /// - Throws: ``UsageError``.
    static func token(_ configuration: ServeConfiguration) throws -> String? {
        let token = try configuration.tokenFile.map { try TokenFile.token(in: $0) }
        guard configuration.trustsLocalUser || token != nil else {
            throw UsageError("trust_local_user is false and there is no token, so nobody could ask: name a token_file.")
        }
        return token
    }

    /// - Throws: ``UsageError``.
    static func providers(_ configuration: ServeConfiguration, data: String) throws -> ProviderRegistry {
        let registry = ProviderRegistry()
        for name in configuration.enabledProviders {
            switch name {
            case .ollama: registry.register(PullModelProvider(client: try ollama(configuration)))
            case .download:
                var downloads = DownloadProvider(transport: CurlTransport(), directory: data + "/downloads")
                downloads.isInDataDirectory = true
                registry.register(downloads)
            case .nounProject:
                do throws(OperationFailure) {
                    let environment = ProcessInfo.processInfo.environment
                    let client = try NounProjectClient(environment: environment, transport: CurlTransport())
                    let countFile = data + "/noun-project-calls.json"
                    registry.register(SeedIconsProvider(client: client, root: data + "/icons", countFile: countFile))
                } catch {
                    guard !configuration.namesProviders else {
                        let file = configuration.file ?? "the configuration"
                        throw UsageError("enabled_providers in \(file) has nounproject: \(error.message)")
                    }
                    registry.setMissing(SeedIconsProvider.operationType, because: error.message)
                }
            case .gatewaySetup:
                let settings = GatewaySettings(
                    ollama: try ollama(configuration),
                    modesFile: data + "/ok_modes.json",
                    serverLog: data + "/ollama.log",
                    environment: ProcessInfo.processInfo.environment
                )
                registry.register(GatewaySetupProvider(settings))
            case .process: registry.register(ProcessProvider())
            }
        }
        return registry
    }

    private static func ollama(_ configuration: ServeConfiguration) throws -> OllamaClient {
        let key = ProcessInfo.processInfo.environment["OLLAMA_API_KEY"].flatMap { $0.isEmpty ? nil : $0 }
        return OllamaClient(address: try address(configuration), apiKey: key, transport: CurlTransport())
    }

    private static func address(_ configuration: ServeConfiguration) throws -> OllamaAddress {
        do throws(OperationFailure) {
            if let address = configuration.ollama { return address }
            return try OllamaAddress(environment: ProcessInfo.processInfo.environment)
        } catch {
            throw UsageError("OLLAMA_HOST: \(error.message)")
        }
    }

    private static func queue(_ configuration: ServeConfiguration) -> OperationRunner.Configuration {
        var queue = OperationRunner.Configuration()
        queue.maximumRunning = configuration.maximumRunning
        queue.maximumRunningByType = configuration.maximumRunningByType
        queue.maximumQueued = configuration.maximumQueued
        queue.admission = AdmissionPolicy(whenOverloaded: configuration.whenOverloaded)
        queue.keepsQueue = true
        return queue
    }

    private static func api(_ configuration: ServeConfiguration, token: String?) -> OperationAPI.Configuration {
        var api = OperationAPI.Configuration()
        api.token = token
        api.trustsLocalUser = configuration.trustsLocalUser
        api.allowedHosts = configuration.allowedHosts
        api.allowedOrigins = configuration.allowedOrigins
        api.maximumBodyBytes = configuration.maximumBodyBytes
        api.startableTypes = configuration.startedOverHTTP
        api.maximumStreams = configuration.maximumStreams
        return api
    }

    private static func server(_ configuration: ServeConfiguration) -> OperationServer.Configuration {
        var server = OperationServer.Configuration(host: configuration.host, port: configuration.port)
        server.maximumConnections = configuration.maximumConnections
        server.maximumConnectionsPerAddress = configuration.maximumConnectionsPerAddress
        server.requestTimeout = configuration.requestTimeout
        return server
    }

    /// Many systems let a program open 1024 files unless it asks for more, which it may.
    private static func allowManyConnections() {
        var limit = rlimit()
        #if canImport(Glibc)
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
        let files = RLIMIT_NOFILE
        #endif
        guard getrlimit(files, &limit) == 0 else { return }
        #if canImport(Darwin)
        // Not run here.
        limit.rlim_cur = min(limit.rlim_max, rlim_t(OPEN_MAX))
        #else
        limit.rlim_cur = limit.rlim_max
        #endif
        setrlimit(files, &limit)
    }
}
