import OperationHistorySQLite
import OperationTracking
import OperationTransfer
import ServiceControl

/// A controller of this machine's services with its tracker and history, for the time of one command.
struct ServiceSession {
    let services: ServiceController
    private let tracker: OperationTracker

    /// - Parameters:
    ///   - data: the data directory.
    ///   - file: the file with the services; `services.json` of the data directory when `nil`.
    init(data: String, file: String? = nil) async throws {
        let history = try await History.open(in: data)
        tracker = OperationTracker(history: history)
        do {
            let registry = try ServiceRegistry(
                path: file ?? data.absolutePath + "/services.json",
                settingAsideInvalid: false
            )
            if let problem = registry.problem { Console.error("wizard: \(problem)".printable) }
            services = ServiceController(
                registry: registry,
                tracker: tracker,
                audit: history,
                transport: CurlTransport(),
                configuration: .init(folder: data.absolutePath + "/services")
            )
        } catch {
            await tracker.close()
            throw error
        }
    }

    func close() async { await tracker.close() }
}
