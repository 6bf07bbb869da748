import OperationTracking

extension ProviderCheck {
    func isCancelledBeforeItBegins() async throws {
        // The one place to run is taken.
        try await ProviderService(sample, maximumRunning: 1).run { service in
            _ = try await service.runner.submit(.init("in the way"), to: ScriptedProvider())
            let submitted = try await service.submit(sample.succeeding)
            try expect("What has no room waits.", try service.operation(submitted.id).status, is: .pending)
            try await service.tracker.cancel(submitted.id)
            let ended = try await service.waitForEnd(of: submitted.id)
            try expect("Cancelled while it waits, it is cancelled.", ended.status, is: .cancelled)
            try expect("Cancelled while it waits, it never begins.", ended.startedAt, is: nil)
            try await service.expectNothingLeftOver("of work that never began")
        }
    }

    func isCancelledAtOnce() async throws {
        try await ProviderService(sample).run { service in
            guard let request = sample.long else { return }
            let submitted = try await service.submit(request)
            try await service.wait(for: "Work that has room begins.") {
                try service.operation(submitted.id).status != .pending
            }
            try await cancel(submitted.id, service, "right when it begins")
        }
    }

    func isCancelledInTheMiddle() async throws {
        try await ProviderService(sample).run { service in
            let submitted = try await service.begin(sample.long)
            try await cancel(submitted.id, service, "in the middle")
        }
    }

    func isCancelledWhilePaused() async throws {
        guard sample.provider.traits.pausing != .unsupported else { return try await isCancelledWhileHeld() }
        try await ProviderService(sample).run { service in
            let submitted = try await service.begin(sample.long)
            try await pause(submitted.id, service)
            try await cancel(submitted.id, service, "while paused")
        }
    }

    private func isCancelledWhileHeld() async throws {
        try await ProviderService(sample, maximumRunning: 1).run { service in
            let submitted = try await hold(service)
            try await cancel(submitted.id, service, "while held back")
        }
    }

    func pausesAsItSays() async throws {
        let pausing = sample.provider.traits.pausing
        let wanted = pausing == .unsupported ? nil : try await undisturbedResult()
        try await ProviderService(sample).run { service in
            let submitted = try await service.begin(sample.long)
            guard let wanted else { return try await refusesToPause(submitted.id, service) }
            try await pause(submitted.id, service)
            let paused = try service.operation(submitted.id)
            for _ in 0..<20 { await service.passTime() }
            let later = try service.operation(submitted.id)
            try expect("Paused work stays paused.", later.status, is: .paused)
            try expect(
                "Paused work stands still.",
                later.progress.completedUnits,
                is: paused.progress.completedUnits
            )
            try await service.tracker.resume(submitted.id)
            let ended = try await service.waitForEnd(of: submitted.id, "Resumed work ends.")
            try expectCompleted(ended)
            try expect("A pause is no new try.", ended.attempt, is: 1)
            try expectSameResult(try await submitted.output, wanted, "after a pause")
            try await service.expectNothingLeftOver("when paused work has completed")
        }
    }

    func goesOnAfterARestart() async throws {
        let wanted = try await undisturbedResult()
        let canPause = sample.provider.traits.pausing != .unsupported
        let first = ProviderService(sample, maximumRunning: 1)
        try await first.run { first in
            let submitted = canPause ? try await first.begin(sample.long) : try await hold(first)
            if canPause { try await pause(submitted.id, first) }
            let before = try first.operation(submitted.id)
            await first.close()
            let second = ProviderService(sample, history: first.history.reopened())
            try await second.run { second in
                let count = try await second.runner.takeUp()
                try expect("What its service left is taken up by the next.", count, is: 1)
                try await second.tracker.resume(submitted.id)
                let ended = try await second.waitForEnd(of: submitted.id, "Work that was taken up ends.")
                try expectCompleted(ended)
                try expect(
                    "What was shown is not taken back.",
                    second.seen.operations.allSatisfy {
                        $0.id != submitted.id || $0.progress.percent >= before.progress.percent
                    },
                    is: true
                )
                let json = try await second.history.record(submitted.id)?.result ?? []
                let output = try Self.decode(Provider.Output.self, json, "result")
                try expectSameResult(output, wanted, "after a restart")
                try await second.expectNothingLeftOver("when work has gone on after a restart")
            }
        }
    }

    func beginsAgainAfterAnInterruption() async throws {
        let wanted = try await undisturbedResult()
        let first = ProviderService(sample)
        let interrupted = try await first.begin(sample.long)
        await first.close()
        let record = try await first.history.record(interrupted.id)
        if record?.operation.status == .completed, let operation = record?.operation {
            throw ProviderService<Provider>.missed("Work can be interrupted.", operation)
        }
        try expect("Work whose service ended is recorded so.", record?.operation.failure?.code, is: .interrupted)
        try await first.wait(for: "Work stops when its service ends.") { await first.runner.runningCount == 0 }
        try await ProviderService(sample, history: first.history.reopened()).run { service in
            guard let request = sample.long else { return }
            let again = try await service.submit(request)
            try expectCompleted(try await service.waitForEnd(of: again.id))
            try expectSameResult(try await again.output, wanted, "after an interruption")
            try await service.expectNothingLeftOver("when interrupted work has completed")
        }
    }
}

extension ProviderCheck {
    /// What the `long` request comes to when nobody interferes.
    private func undisturbedResult() async throws -> Provider.Output {
        let other = try await makeSample()
        return try await ProviderService(other).run { service in
            guard let request = other.long else {
                throw ConformanceFailure("Every sample has the same requests.", found: "one without `long`.")
            }
            let submitted = try await service.submit(request)
            try expectCompleted(try await service.waitForEnd(of: submitted.id))
            return try await submitted.output
        }
    }

    private func cancel(_ id: OperationID, _ service: ProviderService<Provider>, _ when: String) async throws {
        do {
            try await service.tracker.cancel(id)
        } catch {
            // It may have ended in this moment; then its status says the rest.
            try expect(
                "Work can be cancelled.",
                error.code.rawValue,
                is: OperationError.Code.invalidTransition.rawValue
            )
        }
        let ended = try await service.waitForEnd(of: id, "Work that is cancelled \(when) ends.")
        guard ended.status == .cancelled else {
            throw ProviderService<Provider>.missed(
                "Work that is cancelled \(when) is cancelled; it comes to `checkpoint()` often enough.",
                ended
            )
        }
        try await service.expectNothingLeftOver("of work cancelled \(when)")
    }

    private func pause(_ id: OperationID, _ service: ProviderService<Provider>) async throws {
        do {
            try await service.tracker.pause(id)
        } catch {
            // As above.
            try expect("Work can be paused.", error.code.rawValue, is: OperationError.Code.invalidTransition.rawValue)
        }
        let expectation = "Work that is asked to pause pauses; it comes to `checkpoint()` often enough."
        try await service.wait(for: expectation) {
            let operation = try service.operation(id)
            guard operation.status.isActive else {
                throw ProviderService<Provider>.missed(expectation, operation)
            }
            return operation.status == .paused
        }
    }

    /// Submits the `long` request where there is no room for it, and holds it back.
    private func hold(_ service: ProviderService<Provider>) async throws -> SubmittedOperation<Provider.Output> {
        guard let request = sample.long else { throw ConformanceFailure("The sample has the request.", found: "none.") }
        let scripted = ScriptedProvider()
        _ = try await service.runner.submit(.init("in the way"), to: scripted)
        let submitted = try await service.submit(request)
        try await service.tracker.pause(submitted.id)
        scripted.finish("in the way")
        return submitted
    }

    private func refusesToPause(_ id: OperationID, _ service: ProviderService<Provider>) async throws {
        do {
            try await service.tracker.pause(id)
        } catch {
            try expect(
                "Work that can't pause says so.",
                error.code.rawValue,
                is: OperationError.Code.cannotPause.rawValue
            )
            return try expectCompleted(try await service.waitForEnd(of: id, "Work that refused to pause ends."))
        }
        throw ConformanceFailure("Work that can't pause refuses to.", found: "no error.")
    }
}
