#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension OperationCell {
    /// How old a moving operation's row gets: so much of its numbers a crash may take.
    private static let recordInterval: Int64 = 5_000_000_000

    /// What a tick found.
    struct TickOutcome: Sendable {
        var hasChanged = false
        var addedCost = CountedCost()
        /// It has moved since its row was written, some time ago.
        var isWorthRecording = false
    }

    /// Looks at what the work has done since the last tick: stamps it, feeds the estimator, measures the rate.
    ///
    /// - Parameter past: finds how long runs with so much to do took; `nil` while that isn't known yet.
    func tick(at time: CellTime, past: (Int64?) -> PastOfType?) -> TickOutcome {
        withState { state in
            guard state.machine.status.isActive else { return TickOutcome() }
            let amounts = amounts(of: state)
            let (completed, total) = (amounts.completed, amounts.total)
            let moved = completed != state.lastTick.completed || total != state.lastTick.total
            let rateChanged = measureRate(in: &state, completed: completed, at: time)
            if moved || state.isDirty { state.updatedAt = time.wall }
            let changed = moved || state.isDirty || rateChanged
            state.isDirty = false
            state.lastTick.completed = completed
            state.lastTick.total = total
            state.lastTick.present = state.present
            state.lastTick.monotonic = time.monotonic
            if state.runningSince != nil, let seconds = state.activeSeconds(at: time.monotonic) {
                compare(&state, total: total, past)
                state.estimator.observe(
                    at: seconds,
                    completed: completed,
                    present: state.present,
                    total: total >= 0 ? total : nil
                )
                let hold = state.earliestEnd.map { Double($0 - time.monotonic) / 1e9 } ?? 0
                let estimate = state.estimator.estimate
                state.remaining = hold > 0 ? RemainingTime(estimate, atLeast: hold) : estimate
            }
            var own = state.resources
            // What processes cost is measured over all of them, so that one that two operations name counts once.
            if state.process != nil { own = ResourceImpact(networkBitsPerSecond: own.networkBitsPerSecond) }
            let cost = CountedCost(own)
            let added = cost - state.countedCost
            state.countedCost = cost
            let isWorthRecording = changed && time.monotonic - state.lastTick.recordedAt >= Self.recordInterval
            if isWorthRecording { state.lastTick.recordedAt = time.monotonic }
            return TickOutcome(hasChanged: changed, addedCost: added, isWorthRecording: isWorthRecording)
        }
    }

    /// Tells the estimator of runs like this one, once it is known how much there is to do.
    private func compare(_ state: inout State, total: Int64, _ past: (Int64?) -> PastOfType?) {
        let work = total >= 0 ? max(0, total - state.present) : nil
        guard state.comparedWork != .some(work), let found = past(work) else { return }
        state.comparedWork = .some(work)
        state.estimator.past = found.durations
        state.estimator.widthFactor = found.widthFactor
    }

    /// What a completed operation teaches the estimates of later ones.
    var lesson: (run: RunHistory.Run, score: PredictionScore)? {
        withState { state in
            guard state.machine.status == .completed, let amounts = state.endAmounts else { return nil }
            let seconds = Double(state.activeNanoseconds) / 1e9
            let work = amounts.total >= 0 ? max(0, amounts.total - state.present) : nil
            let run = RunHistory.Run(seconds: seconds, work: work, unit: unit)
            return (run, state.estimator.score(endingAt: seconds))
        }
    }

    /// The rate a person sees: smoothed over two seconds. What was found to be there already is not transferred.
    private func measureRate(in state: inout State, completed: Int64, at time: CellTime) -> Bool {
        guard unit == .bytes, let before = state.lastTick.monotonic else { return false }
        guard state.runningSince != nil else { return stopRate(in: &state) }
        let elapsed = Double(time.monotonic - before) / 1e9
        guard elapsed > 0 else { return false }
        let gained = max(0, (completed - state.present) - (state.lastTick.completed - state.lastTick.present))
        let keep = exp(-elapsed / 2)
        let last = state.lastTick.bitRate
        let rate = last * keep + Double(gained) * 8 / elapsed * (1 - keep)
        state.lastTick.bitRate = rate < 1 ? 0 : rate
        guard state.lastTick.bitRate > 0 || last > 0 else { return false }
        state.resources.networkBitsPerSecond = state.lastTick.bitRate.rounded()
        return abs(state.lastTick.bitRate - last) > 0.01 * last
    }

    /// Paused work transfers nothing.
    private func stopRate(in state: inout State) -> Bool {
        guard state.lastTick.bitRate > 0 else { return false }
        state.lastTick.bitRate = 0
        state.resources.networkBitsPerSecond = 0
        return true
    }
}
