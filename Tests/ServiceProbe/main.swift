// Shows and controls services for tests in other languages:
// service-probe REGISTRY FOLDER status | conflicts | heal | start NAME | stop NAME | restart NAME | kill NAME
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
}

func answer(_ services: ServiceController, _ command: String, _ name: String) async throws -> Answer {
    switch command {
    case "status": return Answer(services: try await services.status())
    case "conflicts": return Answer(conflicts: try await services.conflicts())
    case "heal": return Answer(recovery: try await services.heal(by: "probe"))
    case "start": return Answer(pid: try await services.start(name, by: "probe").process?.pid)
    case "restart": return Answer(pid: try await services.restart(name, by: "probe").process?.pid)
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
