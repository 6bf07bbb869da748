import OperationTracking
import ServiceControl

/// Ends what holds the server's port in its place.
struct PortFreeing {
    let options: ServerOptions
    let isConfirmed: Bool

    /// Asks, unless that was answered on the command line.
    ///
    /// - Returns: whether the holders may be ended.
    /// - Throws: ``UsageError`` where nobody can be asked; `ServiceError` where they may not, whatever a person says.
    func mayEnd(_ use: PortUse) throws -> Bool {
        if let refusal = options.refusal(toEnd: use) { throw refusal }
        return try isConfirmed || Console.confirm("Port \(use.port) is held by \(use.holderText). End \(use.that)?")
    }

    /// Ends what holds a port.
    ///
    /// - Parameter shown: whom a person was shown; nobody else is ended.
    /// - Throws: `ServiceError` where the holder may not be ended, or was not shown.
    func end(_ use: PortUse, among shown: [ProcessDetails], by actor: String) async throws {
        let session = try await ServiceSession(data: options.data, file: options.services)
        do {
            let services = session.services
            let seen = Set(shown.map { SeenProcess($0.identity) })
            let freed = try await Interrupt.cancelling {
                try await services.kill(port: use.port, among: seen, by: actor)
            }
            await session.close()
            if !options.json { FreedReport(freed).print() }
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
