import OperationHistorySQLite
import OperationTracking
import OperationTransfer
import ServiceControl

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A controller of this machine's services with its tracker and history, for the time of one command.
struct ServiceSession {
    let services: ServiceController
    private let tracker: OperationTracker
    private let history: SQLiteHistoryStore

    /// - Parameters:
    ///   - data: the data directory.
    ///   - file: the file with the services; `services.json` of the data directory when `nil`.
    init(data: String, file: String? = nil) async throws {
        history = try await History.open(in: data)
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
                configuration: .init(data: data, services: file)
            )
        } catch {
            await tracker.close()
            throw error
        }
    }

    /// Says where what was done isn't kept.
    func close() async {
        await tracker.close()
        guard case .degraded(let reason) = history.health else { return }
        Console.error("wizard: this is not in the history: \(reason.printable)")
    }
}

extension ServiceController.Configuration {
    /// As `wizard` looks after the services of a data directory. Where a service is `wizard` itself, it uses that directory, too, and
    /// is found where this program is if nowhere else.
    ///
    /// - Parameter file: the file with the services; that of the data directory when `nil`. Services of different files may have the same
    ///   name, so each file has a folder for their logs and records.
    init(data: String, services file: String?) {
        let usual = data.absolutePath + "/services"
        let own = file.map(\.realPath).flatMap { $0 == (usual + ".json").realPath ? nil : $0 }
        self.init(folder: own.map { "\(usual)-\(Self.mark(of: $0))" } ?? usual)
        let path = ProcessInfo.processInfo.environment["PATH"].map { $0 + ":" } ?? ""
        environment = [
            "OPERATION_TRACKING_DATA": data.absolutePath,
            "PATH": path + ServerLauncher.program.deletingLastPart,
        ]
    }

    /// A file's name and 64 bits of its path (FNV-1a): what people know it by, and what tells it from another of that name.
    private static func mark(of path: String) -> String {
        let hash = path.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        let name = path.lastPart
        return "\(name.hasSuffix(".json") ? String(name.dropLast(5)) : name)-\(String(hash, radix: 36))"
    }
}
