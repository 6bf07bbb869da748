import OperationHTTP
import OperationTracking
import ServiceControl

/// Starting, stopping and killing. Each is an operation while it lasts, and is answered when it is done; it goes on if the
/// client leaves.
extension ServiceRoutes {
    var actingRoutes: [APIRoute] {
        [
            route("POST", Self.root + "/start", start),
            route("POST", Self.root + "/stop", stop),
            route("POST", Self.root + "/restart") { try await restart($0, named: "service_name") },
            route("POST", Self.root + "/kill") { try await kill($0, named: "service_name") },
            route("POST", Self.root + "/heal", heal),
        ]
    }

    private func start(_ call: APICall) async throws -> APIResponse {
        let name = try call.parameters.serviceName("service_name")
        let started = try await services.start(name, within: try call.parameters.timeout(), by: call.actor)
        return try await answer(name, started.wasRunning ? "\(name) ran already." : "Started \(name).")
    }

    private func stop(_ call: APICall) async throws -> APIResponse {
        let name = try call.parameters.serviceName("service_name")
        let stopped = try await services.stop(name, by: call.actor)
        return try await answer(name, stopped.wasRunning ? "Stopped \(name)." : "\(name) didn't run.")
    }

    func restart(_ call: APICall, named key: String) async throws -> APIResponse {
        let name = try call.parameters.serviceName(key)
        _ = try await services.restart(name, within: try call.parameters.timeout(), by: call.actor)
        return try await answer(name, "Restarted \(name).")
    }

    /// How the service is after what was done, which is looked at anew.
    private func answer(_ name: String, _ message: String) async throws -> APIResponse {
        let report = try await services.status(of: name)
        return .json { json in
            json.key("success")
            json.value(true)
            json.key("message")
            json.value(message)
            json.key("service")
            json.value(name)
            json.key("status")
            json.value(report.status.rawValue)
            json.key("pid")
            json.value(report.process?.identity.pid)
            json.key("port")
            json.value(report.service.port)
        }
    }

    /// - Parameter needsPID: whether the caller has to say which process it has seen.
    func kill(_ call: APICall, named key: String, needsPID: Bool = false) async throws -> APIResponse {
        let name = try call.parameters.serviceName(key)
        let pid = try call.parameters.pid()
        guard pid != nil || !needsPID else {
            throw APIProblem.invalid("pid is missing: send the pid of the process that holds the port.")
        }
        let freed = try await services.kill(name, pid: pid, by: call.actor)
        let ended = freed.ended.map { "\($0.name) (pid \($0.identity.pid))" }.joined(separator: " and ")
        return .json { json in
            json.key("success")
            json.value(true)
            json.key("message")
            json.value(
                ended.isEmpty ? "Port \(freed.port) was free already." : "Ended \(ended); port \(freed.port) is free."
            )
            json.key("service")
            json.value(name)
            json.key("port")
            json.value(freed.port)
            json.key("pid")
            json.value(pid ?? freed.ended.first?.identity.pid)
            json.key("ended")
            json.beginArray()
            for process in freed.ended { json.value(process.identity.pid) }
            json.endArray()
            json.key("forced")
            json.value(freed.wasForced)
        }
    }

    private func heal(_ call: APICall) async throws -> APIResponse {
        let report = try await services.heal(expecting: try call.parameters.holders(), by: call.actor)
        return try .json { json in
            json.key("success")
            json.value(report.isComplete)
            json.key("message")
            json.value(report.summary)
            json.key("healed")
            json.beginObject()
            for step in report.steps {
                json.outsideKey(step.service)
                json.value(step.outcome == .done)
            }
            json.endObject()
            json.key("steps")
            try json.encode(report.steps)
        }
    }
}

extension APIParameters {
    /// The services that may be put right, each with the processes that may be ended for it, as the caller was shown them; `nil` for
    /// all, and whoever holds their ports.
    func holders() throws(APIProblem) -> [String: Set<Int32>]? {
        guard case .object(let members)? = try object("expected") else { return nil }
        guard members.count <= ServiceRegistry.limit else {
            throw .invalid("expected has more services than there can be: send at most \(ServiceRegistry.limit).")
        }
        var holders: [String: Set<Int32>] = [:]
        for member in members {
            guard case .array(let values) = member.value, values.count <= 4096 else {
                throw .invalid("expected gives no list of pids for a service: send at most 4096 for each.")
            }
            var pids: Set<Int32> = []
            for value in values {
                guard case .integer(let number) = value, let pid = Int32(exactly: number), pid > 0 else {
                    throw .invalid("expected has something that is no pid: send whole numbers from 1 on.")
                }
                pids.insert(pid)
            }
            holders[member.key] = pids
        }
        return holders
    }
}
