extension AuditEntry {
    /// What is noted of an operation when its record is `latest`: its start when that is new, its end when it has one.
    ///
    /// An operation that ended without ever having run has no start.
    package static func entries(for latest: OperationRecord, startIsNoted: Bool) -> [AuditEntry] {
        var entries: [AuditEntry] = []
        let operation = latest.operation
        let actor = latest.startedBy ?? "unknown"
        if latest.hasStarted, !startIsNoted {
            entries.append(
                AuditEntry(
                    at: operation.startedAt ?? operation.createdAt,
                    actor: actor,
                    action: "operation.started",
                    operationID: operation.id,
                    detail: operation.description
                )
            )
        }
        if operation.status.isTerminal {
            entries.append(
                AuditEntry(
                    at: operation.finishedAt ?? operation.updatedAt,
                    actor: actor,
                    action: "operation.\(operation.status.rawValue)",
                    operationID: operation.id,
                    detail: operation.failure?.description ?? operation.description
                )
            )
        }
        return entries
    }
}

extension OperationRecord {
    /// Whether the operation's work has ever begun.
    package var hasStarted: Bool {
        switch operation.status {
        case .pending: false
        case .inProgress, .paused: true
        case .completed, .failed, .cancelled: operation.startedAt != nil
        }
    }

    /// Whether a store keeps all of it; see ``withinPayloadLimit()``.
    package var isWithinPayloadLimit: Bool {
        max(request?.count ?? 0, result?.count ?? 0, resumeState?.count ?? 0) <= Self.payloadLimit
    }

    /// This record as a store keeps it: without the payloads that are over ``payloadLimit``.
    package func withinPayloadLimit() -> OperationRecord {
        var bounded = self
        if (request?.count ?? 0) > Self.payloadLimit { bounded.request = nil }
        if (result?.count ?? 0) > Self.payloadLimit { bounded.result = nil }
        if (resumeState?.count ?? 0) > Self.payloadLimit { bounded.resumeState = nil }
        return bounded
    }
}
