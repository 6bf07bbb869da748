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
        let stopped = try await services.stop(name, among: try call.parameters.seen(of: name), by: call.actor)
        let how = stopped.shutdownProblem.map { ", by signals: \($0)" } ?? ""
        return try await answer(name, stopped.wasRunning ? "Stopped \(name)\(how)." : "\(name) didn't run.")
    }

    func restart(_ call: APICall, named key: String) async throws -> APIResponse {
        let name = try call.parameters.serviceName(key)
        let started = try await services.restart(
            name,
            among: try call.parameters.seen(of: name),
            within: try call.parameters.timeout(),
            by: call.actor
        )
        let advice = started.freed?.supervisorAdvice.map { " " + $0 } ?? ""
        return try await answer(name, "Restarted \(name).\(advice)")
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

    /// - Parameter ofConflict: whether the caller has to say which process it has seen, and the service's own one is left alone among
    ///   several.
    func kill(_ call: APICall, named key: String, ofConflict: Bool = false) async throws -> APIResponse {
        let name = try call.parameters.serviceName(key)
        let one = try call.parameters.process(of: name)
        let freed: FreedPort
        if let one {
            freed = try await services.kill(name, just: one, by: call.actor)
        } else if let seen = try call.parameters.holders(of: name) {
            freed = try await services.kill(name, among: seen, sparingOwn: ofConflict, by: call.actor)
        } else {
            guard !ofConflict else {
                throw APIProblem.invalid(
                    "pid is missing: send the pid of the process that holds the port, or in expected all who do."
                )
            }
            freed = try await services.kill(name, by: call.actor)
        }
        let ended = freed.ended.map(\.text).joined(separator: " and ")
        let state =
            if freed.left.isEmpty { freed.ended.isEmpty ? "was free already" : "is free" } else {
                "is held still by \(freed.leftText), which was left alone"
            }
        return .json { json in
            json.key("success")
            json.value(true)
            json.key("message")
            let advice = freed.supervisorAdvice.map { " " + $0 } ?? ""
            json.value(
                ended.isEmpty
                    ? "Port \(freed.port) \(state)." : "Ended \(ended); port \(freed.port) \(state).\(advice)"
            )
            json.key("service")
            json.value(name)
            json.key("port")
            json.value(freed.port)
            json.key("pid")
            json.value(one?.pid ?? freed.ended.first?.identity.pid)
            json.key("ended")
            json.beginArray()
            for process in freed.ended { json.value(process.identity.pid) }
            json.endArray()
            json.key("left")
            json.beginArray()
            for process in freed.left { json.value(process.identity.pid) }
            json.endArray()
            json.key("forced")
            json.value(freed.wasForced)
            json.key("supervisor")
            json.value(freed.ended.supervisor)
        }
    }

    /// Does it, unless it is told that this is a dry run.
    private func heal(_ call: APICall) async throws -> APIResponse {
        let isDryRun = try call.parameters.flag("dry_run") ?? false
        let report = try await services.recover(
            .portConflicts,
            expecting: try call.parameters.holders(),
            isDryRun: isDryRun,
            named: try call.parameters.operationName(),
            by: call.actor
        )
        return try .json { json in
            json.key("success")
            json.value(isDryRun || report.isComplete)
            json.key("message")
            json.value(report.message)
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

extension RecoveryReport {
    /// What has come of it, or would.
    var message: String { isDryRun && !steps.isEmpty ? "Nothing was done: this was a dry run." : summary }
}

extension APIParameters {
    /// The services that may be put right, each with the processes that may be ended for it, as the caller was shown them; `nil` for
    /// all, and whoever holds their ports.
    func holders() throws(APIProblem) -> [String: Set<SeenProcess>]? {
        guard case .object(let members)? = try object("expected") else { return nil }
        guard members.count <= ServiceRegistry.limit else {
            throw .invalid("expected has more services than there can be: send at most \(ServiceRegistry.limit).")
        }
        var holders: [String: Set<SeenProcess>] = [:]
        for member in members {
            guard case .array(let values) = member.value, values.count <= 4096 else {
                throw .invalid("expected gives no list of processes for a service: send at most 4096 for each.")
            }
            var seen: Set<SeenProcess> = []
            for value in values { seen.insert(try Self.process(value)) }
            holders[member.key] = seen
        }
        return holders
    }

    /// The same where one service is meant: who may be ended for it; `nil` for whoever holds its port.
    func holders(of service: String) throws(APIProblem) -> Set<SeenProcess>? {
        try holders().map { $0[service] ?? [] }
    }

    /// The one process that may be ended for a service, with what it has forked; `nil` where none is named.
    ///
    /// - Throws: `APIProblem`; `ServiceError` (`not_possible`) where it is none of those that are expected beside it.
    func process(of service: String) throws -> SeenProcess? {
        guard let pid = try integer("pid", in: 1...Int64(Int32.max)).map({ Int32($0) }) else { return nil }
        guard let expected = try holders(of: service) else { return SeenProcess(pid: pid) }
        guard let one = expected.first(where: { $0.pid == pid }) else {
            throw ServiceError(.notPossible, "Process \(pid) is none of those in expected, so nothing was ended.")
        }
        return one
    }

    /// Who may be ended for a service, the one that is named or those that are expected; `nil` for whoever holds its port.
    fileprivate func seen(of service: String) throws -> Set<SeenProcess>? {
        try process(of: service).map { [$0] } ?? holders(of: service)
    }

    /// A pid, or a process as the API has it in `holders`.
    private static func process(_ value: JSONValue) throws(APIProblem) -> SeenProcess {
        let seen: SeenProcess? =
            switch value {
            case .integer(let number): Int32(exactly: number).map { SeenProcess(pid: $0) }
            case .number(let number): Int32(exactly: number).map { SeenProcess(pid: $0) }
            case .string(let text): SeenProcess(text).flatMap { $0.startTime == nil ? nil : $0 }
            default: nil
            }
        guard let seen, seen.pid > 0 else {
            throw .invalid(
                "expected has something that is no process: send pids, or pids with start times, such as \"4711@98765\"."
            )
        }
        return seen
    }

    /// The name that the operation is to have; `nil` for one of the tracker's choice.
    func operationName() throws(APIProblem) -> OperationID? {
        guard let text = try text("operation_id", limit: 63) else { return nil }
        guard let id = OperationID(rawValue: text) else {
            throw .invalid("operation_id is no name of an operation: send op_ and 1 to 60 letters, digits, '_' or '-'.")
        }
        return id
    }
}
