#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking

/// Wishes: what somebody wants of an operation. They are taken at once, and followed when the work can.
extension APIContext {
    var controlRoutes: [APIRoute] {
        [
            .later("POST", Self.root + "/{id}/pause") {
                try await request("pause", $0) { try await tracker.pause($0) }
            },
            .later("POST", Self.root + "/{id}/resume") {
                try await request("resume", $0) { try await tracker.resume($0) }
            },
            .later("POST", Self.root + "/{id}/cancel") {
                try await request("cancel", $0, endsAs: .cancelled) { try await tracker.cancel($0) }
            },
            .later("POST", Self.root + "/{id}/priority", setPriority),
            .later("POST", Self.root + "/{id}/limit", setLimit),
        ]
    }

    private func setPriority(_ call: APICall) async throws -> APIResponse {
        guard let priority = try call.parameters.choice("priority", of: OperationPriority.self) else {
            throw APIProblem.invalid("priority is missing: send low, normal, high or urgent.")
        }
        return try await wish(call) { id in
            do {
                guard let runner else { throw APIProblem.notQueuedHere }
                try await runner.setPriority(priority, of: id)
                note("priority_set", priority.rawValue, of: id, call)
            } catch let error as OperationError where error.code == .unknownOperation {
                throw APIProblem.notQueuedHere
            }
        }
    }

    private func setLimit(_ call: APICall) async throws -> APIResponse {
        guard call.parameters.has("bytes_per_second") else {
            throw APIProblem.invalid("bytes_per_second is missing: send a number, or null for no limit.")
        }
        let limit = try call.parameters.integer("bytes_per_second", in: 1...(1 << 50))
        return try await wish(call) { id in
            try tracker.setBandwidthLimit(limit, of: id)
            note("limit_set", limit.map { "\($0) bytes a second" } ?? "no limit", of: id, call)
        }
    }

    /// Asks something of an operation. Who asked is noted first: what is cancelled may end at once, and a log is read in its order.
    private func request(
        _ name: String,
        _ call: APICall,
        endsAs end: OperationStatus? = nil,
        _ body: (OperationID) async throws -> Void
    ) async throws -> APIResponse {
        try await wish(call, endsAs: end) { id in
            if tracker.operation(id)?.status.isActive == true { note("\(name)_requested", nil, of: id, call) }
            try await body(id)
        }
    }

    private func note(_ action: String, _ detail: String?, of id: OperationID, _ call: APICall) {
        guard let log = tracker.history as? any AuditLog else { return }
        let now = Date(milliseconds: tracker.clock.wallMilliseconds)
        log.append(
            AuditEntry(at: now, actor: call.actor, action: "operation." + action, operationID: id, detail: detail)
        )
    }

    /// Does something to an active operation of this server, and tells how it stands now.
    ///
    /// - Parameter end: what one that has ended may have ended as: what is wished for is so already.
    private func wish(
        _ call: APICall,
        endsAs end: OperationStatus? = nil,
        _ body: (OperationID) async throws -> Void
    ) async throws -> APIResponse {
        let id = try id(in: call)
        var known = tracker.operation(id)
        if known == nil {
            let past = try await record(ofUnknown: id).operation
            guard past.status.isTerminal else { throw APIProblem.runElsewhere }
            guard past.status == end else { throw APIProblem.hasEnded(as: past.status) }
            known = past
        } else {
            try await body(id)
        }
        let operation = tracker.operation(id) ?? known
        return .json { json in
            json.key("operation_id")
            json.value(id.rawValue)
            json.key("status")
            json.value(operation?.status.rawValue)
            json.key("pending_request")
            json.value(operation?.pendingRequest?.rawValue)
        }
    }
}

extension APIProblem {
    fileprivate static let notQueuedHere = APIProblem(
        409,
        "not_queued",
        "The operation is not one that this server runs: a priority means nothing to it."
    )
}
