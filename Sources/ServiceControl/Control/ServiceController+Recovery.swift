public import OperationTracking

extension ServiceController {
    /// Puts all port conflicts right: ends what holds the port of an enabled service in its place, and starts the service
    /// where it has a `startup_cmd`.
    ///
    /// Services that share a port with another enabled one are skipped: one would be healed into the other for ever.
    ///
    /// - Parameters:
    ///   - holders: see ``recover(_:expecting:isDryRun:named:by:)``.
    ///   - id: see there, too.
    ///   - actor: who wants it, for the audit log.
    /// - Returns: what was done to which service, and what could not be.
    /// - Throws: ``ServiceError`` (`system`) when the system doesn't say who listens; `CancellationError`.
    @discardableResult
    public func heal(
        expecting holders: [String: Set<SeenProcess>]? = nil,
        named id: OperationID? = nil,
        by actor: String
    ) async throws -> RecoveryReport {
        try await recover(.portConflicts, expecting: holders, named: id, by: actor)
    }

    /// Starts all enabled services that have a `startup_cmd` and don't run, in the order of the registry.
    ///
    /// - Parameter actor: who wants it, for the audit log.
    /// - Throws: as ``heal(expecting:named:by:)``.
    @discardableResult
    public func startAll(by actor: String) async throws -> RecoveryReport {
        try await recover(.stoppedServices, by: actor)
    }

    /// Stops all services that were started here and run, the last of the registry first.
    ///
    /// - Parameter actor: who wants it, for the audit log.
    /// - Returns: the names of those that were stopped, and why others could not be.
    /// - Throws: `CancellationError`.
    public func stopAll(by actor: String) async throws -> (stopped: [String], failures: [String: String]) {
        var stopped: [String] = []
        var failures: [String: String] = [:]
        for service in registry.services.reversed() where knownProcess(of: service.name).running != nil {
            do {
                try await stop(service.name, by: actor)
                stopped.append(service.name)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                failures[service.name] = String(describing: error)
            }
        }
        return (stopped, failures)
    }

    /// Follows a strategy: does one step after the other, and goes on where one fails. The operation fails if any does.
    ///
    /// No process is ended that didn't hold the service's port in the look from which the steps were made, or in an earlier one
    /// that the caller was shown. A service to which something else is being done is waited for, as long as
    /// ``Configuration/startTimeout``.
    ///
    /// - Parameters:
    ///   - strategy: what is to be put right.
    ///   - holders: the services that may be put right, each with the processes that may be ended for it, as
    ///     ``RecoveryReport/holders`` of a dry run has them; `nil` for all that need it, and whoever holds their ports now.
    ///   - isDryRun: whether it is only looked what would be done.
    ///   - id: the name of the operation, by which the caller can cancel it; `nil` for one of the tracker's choice. There is none where
    ///     nothing is done.
    ///   - actor: who wants it, for the audit log.
    /// - Returns: what was done to which service, and what could not be.
    /// - Throws: ``ServiceError`` (`system`) when the system doesn't say who listens; `OperationError` (`duplicate_operation`);
    ///   `CancellationError`.
    public func recover(
        _ strategy: RecoveryStrategy,
        expecting holders: [String: Set<SeenProcess>]? = nil,
        isDryRun: Bool = false,
        named id: OperationID? = nil,
        by actor: String
    ) async throws -> RecoveryReport {
        var steps = try await steps(strategy)
        if let holders {
            steps = steps.compactMap { step in
                guard let seen = holders[step.service] else { return nil }
                var step = step
                step.holders = seen.sorted { ($0.pid, $0.startTime ?? 0) < ($1.pid, $1.startTime ?? 0) }
                return step
            }
        }
        let report = RecoveryReport(strategy: strategy, isDryRun: isDryRun, steps: steps)
        if isDryRun || report.steps.isEmpty { return report }
        do {
            return try await operation(
                .recoverServices,
                strategy.description,
                steps: Int64(report.steps.count),
                named: id,
                by: actor
            ) { handle in
                let done = try await self.follow(report, by: actor, handle)
                guard done.isComplete else { throw IncompleteRecovery(report: done) }
                return done
            }
        } catch let incomplete as IncompleteRecovery {
            return incomplete.report
        }
    }

    private func follow(_ report: RecoveryReport, by actor: String, _ handle: OperationHandle) async throws
        -> RecoveryReport
    {
        var report = report
        for index in report.steps.indices {
            do {
                report.steps[index].outcome = try await follow(report.steps[index], by: actor, handle)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                report.steps[index].outcome = .failed
                report.steps[index].reason = String(describing: error)
            }
            handle.update(completed: Int64(index + 1))
        }
        return report
    }

    /// Two who put services right at once want the same: who is at a service already is waited for, and what is right by then is done.
    private func follow(
        _ step: RecoveryStep,
        by actor: String,
        _ handle: OperationHandle
    ) async throws -> RecoveryStep.Outcome {
        handle.setPhase(step.action.rawValue, message: step.service)
        let clock = handle.clock
        let end = clock.monotonicNanoseconds + configuration.startTimeout.nanoseconds
        while true {
            try await handle.checkpoint()
            do {
                return try await act(step, by: actor)
            } catch let refusal as ServiceError {
                let waits = refusal.code == .busy && clock.monotonicNanoseconds < end
                if waits { try await clock.sleep(for: .milliseconds(100)) }
                if try await status(of: step.service).status == .running { return .done }
                guard waits else { throw refusal }
            }
        }
    }

    /// Each step is an operation of its own beside the whole one, as if it had been asked for alone.
    private func act(_ step: RecoveryStep, by actor: String) async throws -> RecoveryStep.Outcome {
        let holders = ExpectedHolders.only(Set(step.holders))
        switch step.action {
        case .kill: try await kill(step.service, expecting: holders, sparesOwn: true, by: actor)
        case .start: try await start(step.service, by: actor)
        case .restart: try await restart(step.service, expecting: holders, by: actor)
        case .none: return .skipped
        }
        return .done
    }

    private func steps(_ strategy: RecoveryStrategy) async throws -> [RecoveryStep] {
        switch strategy {
        case .portConflicts:
            let shared = registry.sharedPorts
            return try heldPorts().map { ($0, conflict($0, $1)) }.filter { !$0.1.isCorrect }.map { service, conflict in
                // One whose own process holds the port, too, needs nothing but that the others go.
                let isThere = conflict.holders.contains(where: \.isCorrect)
                let action: RecoveryStep.Action =
                    conflict.canRestart && !isThere ? .restart : conflict.canKill ? .kill : .none
                let warning = shared[service.name]
                return RecoveryStep(
                    service: service.name,
                    action: warning == nil ? action : .none,
                    reason: warning ?? conflict.reason
                        ?? "Port \(conflict.port) is held by \(conflict.heldBy)\(isThere ? " beside its own process" : "").",
                    holders: conflict.holders.filter { !$0.isCorrect }.map(\.process),
                    supervisor: conflict.supervisor
                )
            }
        case .failedServices:
            return try await status().filter { $0.status == .failed && $0.service.isEnabled }.map { report in
                RecoveryStep(
                    service: report.service.name,
                    action: report.service.startupCommand == nil ? .none : .restart,
                    reason: report.detail ?? "It has failed.",
                    holders: (report.use?.holders ?? []).map { SeenProcess($0.identity) },
                    supervisor: report.use?.holders.supervisor
                )
            }
        case .stoppedServices:
            let shared = registry.sharedPorts
            return try await status().filter {
                $0.status == .stopped && $0.service.isEnabled && $0.service.startupCommand != nil
            }
            .map { report in
                let warning = shared[report.service.name]
                return RecoveryStep(
                    service: report.service.name,
                    action: warning == nil ? .start : .none,
                    reason: warning ?? "It doesn't run."
                )
            }
        }
    }
}

/// Carries the report out of an operation that is to be recorded as failed.
private struct IncompleteRecovery: Error, OperationFailureConvertible {
    let report: RecoveryReport

    var operationFailure: OperationFailure {
        OperationFailure(OperationFailure.Code(rawValue: "not_recovered"), report.summary)
    }
}
