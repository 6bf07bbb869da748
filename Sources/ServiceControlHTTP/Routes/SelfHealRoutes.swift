import OperationHTTP
import OperationTracking
import ServiceControl

/// What is wrong, and what puts it right.
extension ServiceRoutes {
    private static let selfHeal = "/api/self-heal"

    var selfHealRoutes: [APIRoute] {
        [
            route("POST", Self.selfHeal + "/port-conflicts") { _ in
                let conflicts = try await services.conflicts()
                return .json(Array(try JSONWriter.encoded(conflicts)))
            },
            route("POST", Self.selfHeal + "/port-conflicts/kill") {
                try await kill($0, named: "service", ofConflict: true)
            },
            route("POST", Self.selfHeal + "/port-conflicts/restart") { try await restart($0, named: "service") },
            route("GET", Self.selfHeal + "/status", selfHealStatus),
            route("GET", Self.selfHeal + "/strategies") { _ in Self.strategies },
            route("POST", Self.selfHeal + "/recover", recover),
        ]
    }

    private func selfHealStatus(_ call: APICall) async throws -> APIResponse {
        let reports = try await services.status().filter(\.service.isEnabled)
        let failed = reports.filter { $0.status == .failed }
        let conflicts = try await services.conflicts()
        let overload = await tracker.assessOverload()
        let history = tracker.history?.health ?? .ok
        let steps = nextSteps(conflicts, failed, history)
        return .json(capacity: 1024) { json in
            json.key("healthy")
            json.value(steps.isEmpty)
            json.key("conflicts")
            json.value(conflicts.requiresAttention)
            json.key("failed_services")
            json.beginArray()
            for report in failed { json.value(report.service.name) }
            json.endArray()
            json.key("registry")
            services.registry.write(to: &json)
            json.key("history")
            json.beginObject()
            history.writeFields(to: &json)
            json.endObject()
            json.key("overload")
            json.beginObject()
            overload.writeVerdict(to: &json)
            json.endObject()
            json.key("next_steps")
            json.beginArray()
            for step in steps { json.value(step) }
            json.endArray()
        }
    }

    private func nextSteps(_ conflicts: PortConflicts, _ failed: [ServiceReport], _ history: HistoryHealth) -> [String]
    {
        let registry = services.registry
        // What shares its port with another isn't healed: only one of them can run.
        let shared = registry.sharedPorts
        var steps = conflicts.conflicts.filter { !$0.isCorrect }.map { conflict in
            let held = "Port \(conflict.port) of \(conflict.service) is held by \(conflict.heldBy): "
            return conflict.reason ?? held
                + (shared[conflict.service] ?? "heal the conflicts, or reassign the service.")
        }
        steps += failed.map { "\($0.service.name) has failed: \($0.detail ?? "restart it.")" }
        if let problem = registry.problem { steps.append(problem.message) }
        steps += registry.warnings.filter { warning in !steps.contains { $0.hasSuffix(warning) } }
        if case .degraded(let reason) = history { steps.append("The history is not kept: \(reason)") }
        return steps
    }

    private static var strategies: APIResponse {
        .json { json in
            json.key("success")
            json.value(true)
            json.key("count")
            json.value(RecoveryStrategy.allCases.count)
            json.key("strategies")
            json.beginObject()
            for strategy in RecoveryStrategy.allCases {
                json.outsideKey(strategy.rawValue)
                json.beginObject()
                json.key("description")
                json.value(strategy.description)
                json.key("steps")
                json.beginArray()
                for action in strategy.actions { json.value(action.rawValue) }
                json.endArray()
                json.endObject()
            }
            json.endObject()
        }
    }

    /// Only looks, unless it is told that it is no dry run.
    private func recover(_ call: APICall) async throws -> APIResponse {
        guard let strategy = try call.parameters.choice("strategy", of: RecoveryStrategy.self) else {
            throw APIProblem.invalid("strategy is missing: GET \(Self.selfHeal)/strategies lists them.")
        }
        let isDryRun = try call.parameters.flag("dry_run") ?? true
        let report = try await services.recover(
            strategy,
            expecting: try call.parameters.holders(),
            isDryRun: isDryRun,
            named: try call.parameters.operationName(),
            by: call.actor
        )
        return try .json { json in
            json.key("success")
            json.value(isDryRun || report.isComplete)
            json.key("summary")
            json.beginObject()
            json.key("strategy")
            json.value(strategy.rawValue)
            json.key("dry_run")
            json.value(isDryRun)
            json.key("steps")
            json.value(report.steps.count)
            json.key("done")
            json.value(report.steps.count { $0.outcome == .done })
            json.key("message")
            json.value(report.message)
            json.endObject()
            json.key("actions")
            try json.encode(report.steps)
        }
    }
}

extension RecoveryStrategy {
    /// What it may do to a service.
    fileprivate var actions: [RecoveryStep.Action] {
        switch self {
        case .portConflicts: [.restart, .kill]
        case .failedServices: [.restart]
        case .stoppedServices: [.start]
        }
    }
}
