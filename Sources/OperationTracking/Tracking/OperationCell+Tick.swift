#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension OperationCell {
    /// How old a moving operation's row gets, in seconds: so much of its numbers a crash may take.
    private static let recordInterval: Int32 = 5

    /// What a tick found.
    struct TickOutcome: Sendable {
        var hasChanged = false
        var addedCost = CountedCost()
        /// It has moved since its row was written, some time ago.
        var isWorthRecording = false
    }

    /// Looks at what the work has done since the last tick: stamps it, feeds the estimator, measures the rate.
    ///
    /// - Parameter past: finds past runs like this one; `nil` while none are known yet.
    func tick(at time: CellTime, past: (RunHistory.Likeness) -> PastRuns?) -> TickOutcome {
        withState { state in
            guard state.machine.status.isActive else { return TickOutcome() }
            let amounts = amounts(of: state)
            let (completed, total) = (amounts.completed, amounts.total)
            let present = state.present
            let gained = completed - present
            let moved = gained != state.lastTick.gained
            let rateChanged = measureRate(in: &state, gained: gained, at: time)
            if moved || state.isDirty { state.updatedAt = time.wall }
            var changed = moved || state.isDirty || rateChanged
            state.isDirty = false
            state.lastTick.gained = gained
            state.lastTick.monotonic = time.monotonic
            state.hasTicked = true
            if state.isRunning, let seconds = state.activeSeconds(at: time.monotonic) {
                state.phases.see(state.phase, at: seconds, done: completed)
                let wasOverdue = state.isOverdue
                compare(&state, total: total, past)
                let hold = secondsHeld(state, left: total >= 0 ? total - completed : 0, at: time)
                state.hold = hold
                state.estimator.observe(
                    at: seconds,
                    completed: completed,
                    present: present,
                    total: total >= 0 ? total : nil,
                    notBefore: hold
                )
                // That an operation takes too long is worth telling also when nothing moves.
                if state.isOverdue == true, wasOverdue != true { changed = true }
            }
            var own = state.resources
            // What processes cost is measured over all of them, so that one that two operations name counts once.
            if state.process != nil { own = ResourceImpact(networkBitsPerSecond: own.networkBitsPerSecond) }
            let cost = CountedCost(own)
            let added = cost - state.countedCost
            state.countedCost = cost
            let second = Int32(truncatingIfNeeded: time.monotonic / 1_000_000_000)
            let isWorthRecording = changed && second &- state.recordedSecond >= Self.recordInterval
            if isWorthRecording { state.recordedSecond = second }
            return TickOutcome(hasChanged: changed, addedCost: added, isWorthRecording: isWorthRecording)
        }
    }

    /// For how many seconds more the work can't be done, whatever its rate: as it says itself, and by the limit it keeps to.
    private func secondsHeld(_ state: borrowing State, left: Int64, at time: CellTime) -> Double {
        let said = state.earliestEnd.map { Double($0 - time.monotonic) / 1e9 } ?? 0
        guard unit == .bytes, left > 0, let limit = state.limiter?.lowestBytesPerSecond else { return said }
        return max(said, Double(left) / Double(limit))
    }

    /// When past runs have to be looked up again: what else they are compared by never changes.
    struct ComparisonKey: Sendable, Hashable {
        var size: UInt8?
        var phases: UInt8
    }

    /// Tells the estimator of runs like this one, when it has become known how much there is to do, or a phase has begun.
    private func compare(_ state: inout State, total: Int64, _ past: (RunHistory.Likeness) -> PastRuns?) {
        let size = RunHistory.sizeClass(total >= 0 ? total - state.present : nil)
        let key = ComparisonKey(size: size, phases: state.phases.count)
        guard state.compared != key else { return }
        let farthest = state.phases.farthest
        let likeness = RunHistory.Likeness(
            size: size,
            unit: unit,
            feature: state.payload?.feature,
            phase: farthest?.phase
        )
        guard let found = past(likeness) else { return }
        state.compared = key
        state.estimator.compare(with: found, phaseBegan: farthest?.at ?? 0)
    }

    /// What a completed operation teaches the estimates of later ones.
    var lesson: RunHistory.Lesson? {
        withState { state in
            guard state.machine.status == .completed else { return nil }
            let amounts = amounts(of: state)
            let seconds = Double(state.activeNanoseconds) / 1e9
            let run = RunHistory.Run(
                seconds: seconds,
                work: amounts.total >= 0 ? max(0, amounts.total - state.present) : nil,
                unit: unit,
                phases: state.phases.phases(endingAt: seconds, done: amounts.completed),
                feature: state.payload?.feature
            )
            let bytes = unit == .bytes && state.writesToDataDirectory ? amounts.completed - state.present : 0
            let accuracy = state.estimator.accuracy(endingAt: seconds)
            return RunHistory.Lesson(id: id, type: type, run: run, bytes: bytes, accuracy: accuracy)
        }
    }

    /// The rate a person sees: smoothed over two seconds. What was found to be there already is not transferred.
    private func measureRate(in state: inout State, gained: Int64, at time: CellTime) -> Bool {
        guard unit == .bytes, state.hasTicked else { return false }
        guard state.isRunning else { return stopRate(in: &state) }
        let elapsed = Double(time.monotonic - state.lastTick.monotonic) / 1e9
        guard elapsed > 0 else { return false }
        let bits = Double(max(0, gained - state.lastTick.gained)) * 8
        let keep = exp(-elapsed / 2)
        let last = state.lastTick.bitRate
        let rate = last * keep + bits / elapsed * (1 - keep)
        state.lastTick.bitRate = rate < 1 ? 0 : rate
        guard state.lastTick.bitRate > 0 || last > 0 else { return false }
        state.networkBitsPerSecond = state.lastTick.bitRate.rounded()
        return abs(state.lastTick.bitRate - last) > 0.01 * last
    }

    /// Paused work transfers nothing.
    private func stopRate(in state: inout State) -> Bool {
        guard state.lastTick.bitRate > 0 else { return false }
        state.lastTick.bitRate = 0
        state.networkBitsPerSecond = 0
        return true
    }
}
