// Shows and controls services for tests in other languages:
// service-probe REGISTRY FOLDER status | conflicts | heal | start NAME | stop NAME | restart NAME | kill NAME
// service-probe REGISTRY FOLDER looks PORT looks a thousand times who has a port, and prints how long one look takes.
// Prints one JSON object; exits with 1 and {"code", "message"} where something is refused.
import Foundation
import OperationTracking
import OperationTransfer
import ServiceControl

struct Answer: Encodable {
    var code: String?
    var message: String?
    var services: [ServiceReport]?
    var conflicts: PortConflicts?
    var recovery: RecoveryReport?
    var ended: [Int32]?
    var forced: Bool?
    var pid: Int32?
    var holders: Int?
    var medianMicroseconds: Double?
    /// What it costs, which other programs that run meanwhile change little.
    var meanProcessorMicroseconds: Double?
}

/// As a program asks that runs for long: nothing is started for it.
func looks(at port: UInt16) throws -> Answer {
    let wallClock = ContinuousClock()
    let begin = clock()
    var holders = 0
    let times = try (0..<1000).map { _ in
        try wallClock.measure { holders = try PortScanner().use(of: port).holders.count }
    }.sorted().map { Double($0.components.attoseconds) / 1e12 }
    // clock() counts the process's time in microseconds (POSIX).
    let mean = Double(clock() - begin) / Double(times.count)
    return Answer(holders: holders, medianMicroseconds: times[times.count / 2], meanProcessorMicroseconds: mean)
}

func answer(_ services: ServiceController, _ command: String, _ name: String) async throws -> Answer {
    switch command {
    case "status": return Answer(services: try await services.status())
    case "conflicts": return Answer(conflicts: try await services.conflicts())
    case "heal": return Answer(recovery: try await services.heal(by: "probe"))
    case "start": return Answer(pid: try await services.start(name, by: "probe").process?.pid)
    case "restart": return Answer(pid: try await services.restart(name, by: "probe").process?.pid)
    case "looks": return try looks(at: UInt16(name) ?? 0)
    case "stop":
        try await services.stop(name, by: "probe")
        return Answer()
    case "kill":
        let freed = try await services.kill(name, by: "probe")
        return Answer(ended: freed.ended.map(\.identity.pid), forced: freed.wasForced)
    default: throw ServiceError(.notPossible, "There is no command \(command).")
    }
}

let arguments = CommandLine.arguments
guard arguments.count > 3 else {
    print("usage: service-probe REGISTRY FOLDER COMMAND [NAME]")
    exit(2)
}
let controller = ServiceController(
    registry: try ServiceRegistry(path: arguments[1]),
    tracker: OperationTracker(),
    transport: CurlTransport(),
    configuration: .init(folder: arguments[2])
)
var result = Answer()
do {
    result = try await answer(controller, arguments[3], arguments.count > 4 ? arguments[4] : "")
} catch let error as ServiceError {
    result = Answer(code: error.code.rawValue, message: error.message)
}
print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
exit(result.code == nil ? 0 : 1)
