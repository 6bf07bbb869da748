import OperationTracking
import ServiceControl

/// Ends what holds the server's port in its place.
struct PortFreeing {
    let options: ServerOptions
    let isConfirmed: Bool

    /// Asks first, unless that was answered on the command line.
    ///
    /// - Returns: whether the port is free now; not where the person said no.
    /// - Throws: `ServiceError` where the holder may not be ended, ``UsageError`` where nobody can be asked.
    func free(_ use: PortUse, by actor: String) async throws -> Bool {
        guard try isConfirmed || Console.confirm("Port \(use.port) is held by \(use.holderText). End \(use.that)?")
        else {
            return false
        }
        let session = try await ServiceSession(data: options.data, file: options.services)
        do {
            let services = session.services
            // Those that were shown.
            let seen = Set(use.holders.map { SeenProcess($0.identity) })
            let freed = try await Interrupt.cancelling {
                try await services.kill(port: use.port, among: seen, by: actor)
            }
            await session.close()
            if !options.json { FreedReport(freed).print() }
            return true
        } catch {
            await session.close()
            throw error
        }
    }
}

extension PortUse {
    /// Its holders, in a question that has named them.
    var that: String { holders.count > 1 ? "those" : "that" }
}
