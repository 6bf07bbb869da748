/// What went on in a stretch of time: how fast operations went, and what ran beside them.
struct LoadObservation: Sendable, Hashable {
    /// What an operation got done in a second, on average over those that ran. In any unit, if it is always the same one: bytes,
    /// or the speed as a part of what operations of that type usually have.
    var throughputPerOperation: Double
    /// Operations that ran, at least 1; an observation of none says nothing and is left out.
    var activeOperations: Int
    /// Operations that failed in this time.
    var failures = 0
    /// CPU use of all operations, in per cent as `OverloadPolicy.cpuPercent` counts it.
    var cpuPercent: Double
    /// Memory of all operations in bytes.
    var memoryBytes: Int64

    /// What all operations got done together in a second.
    ///
    /// When many share one link each is slower, and that is no overload: only when they get less done together is it one.
    fileprivate var work: Double { throughputPerOperation * Double(activeOperations) }

    /// The part of the operations that did not fail.
    fileprivate var survival: Double { 1 - min(1, Double(failures) / Double(activeOperations)) }

    fileprivate var isUsable: Bool {
        activeOperations > 0 && failures >= 0 && throughputPerOperation.isFinite && throughputPerOperation >= 0
            && cpuPercent.isFinite && cpuPercent >= 0 && memoryBytes >= 0
    }
}

/// A threshold that was moved, and why.
public struct ThresholdChange: Sendable, Hashable {
    /// Which threshold: `operationsCPU` (per cent) or `operationsMemory` (bytes).
    public let code: OverloadReason.Code
    /// The threshold before.
    public let old: Double
    /// The threshold from now on.
    public let new: Double
    /// Why, in a sentence with figures.
    public let reason: String
}

/// Learns at which load operations slow down or fail, and moves the thresholds of a policy to just below it.
///
/// It keeps the observations of some time, and asks of each load whether the operations get clearly less done together above it
/// than just below. A threshold moves only when that is so on at least three separate occasions, by a margin that chance does not
/// make, and never out of the bounds.
struct OverloadAdaptation: Sendable {
    /// The thresholds between which `OverloadPolicy.cpuPercent` may move, in per cent.
    var cpuBounds: ClosedRange<Double> = 40...95
    /// The thresholds between which `OverloadPolicy.memoryBytes` may move, in bytes.
    var memoryBounds: ClosedRange<Int64> = (1000 << 20)...(64_000 << 20)

    private var observations: [LoadObservation] = []
    private static let kept = 512

    /// Takes what went on in a stretch of time; one every ten seconds or so is plenty. The newest 512 are kept.
    mutating func observe(_ observation: LoadObservation) {
        guard observation.isUsable else { return }
        if observations.count == Self.kept { observations.removeFirst() }
        observations.append(observation)
    }

    /// Moves the thresholds of `policy` where the observations ask for it; a threshold that is `nil` stays so.
    ///
    /// - Returns: what was changed; empty when nothing was.
    func adapt(_ policy: inout OverloadPolicy) -> [ThresholdChange] {
        var changes: [ThresholdChange] = []
        if let old = policy.cpuPercent {
            let found = slowdown(by: \.cpuPercent)
            if let change = change(.operationsCPU, old, found, within: cpuBounds, format: Figures.percent) {
                policy.cpuPercent = change.new
                changes.append(change)
            }
        }
        if let old = policy.memoryBytes {
            let bounds = Double(memoryBounds.lowerBound)...Double(memoryBounds.upperBound)
            let found = slowdown(by: { Double($0.memoryBytes) })
            let format = { Figures.bytes(Int64(clamping: $0)) }
            if let change = change(.operationsMemory, Double(old), found, within: bounds, format: format) {
                policy.memoryBytes = Int64(clamping: change.new)
                changes.append(change)
            }
        }
        return changes
    }

    /// A move of less than a twentieth is not worth one.
    private func change(
        _ code: OverloadReason.Code,
        _ old: Double,
        _ slowdown: Slowdown?,
        within bounds: ClosedRange<Double>,
        format: (Double) -> String
    ) -> ThresholdChange? {
        guard let slowdown else { return nil }
        let new = min(max(slowdown.level, bounds.lowerBound), bounds.upperBound)
        guard abs(new - old) > 0.05 * abs(old) else { return nil }
        let what = code == .operationsCPU ? "CPU use" : "memory"
        let bound = new == slowdown.level ? "" : ", as far as the bounds allow"
        let reason =
            "Above \(format(slowdown.level)) of \(what), \(slowdown.effect), seen \(slowdown.occasions) times: "
            + "the threshold moves from \(format(old)) to \(format(new))\(bound)."
        return ThresholdChange(code: code, old: old, new: new, reason: reason)
    }

    // MARK: Finding the load

    private struct Slowdown {
        /// The largest load at which all was well.
        let level: Double
        let effect: String
        let occasions: Int
    }

    /// Throughput is looked at first; failures only where it shows nothing.
    private func slowdown(by load: (LoadObservation) -> Double) -> Slowdown? {
        let loads = observations.map(load)
        let slower = LoadSplit.find(loads: loads, outcomes: observations.map(\.work), isWorse: { $1 <= 0.7 * $0 })
        if let slower {
            let share = Figures.percent(slower.above / max(slower.below, .leastNormalMagnitude) * 100)
            let effect = "operations together get done \(share) of what they do just below it"
            return Slowdown(level: slower.level, effect: effect, occasions: slower.occasions)
        }
        let failing = LoadSplit.find(loads: loads, outcomes: observations.map(\.survival), isWorse: { $1 <= $0 - 0.05 })
        guard let failing else { return nil }
        let rates = (Figures.percent(100 - failing.above * 100), Figures.percent(100 - failing.below * 100))
        let effect = "\(rates.0) of the operations fail in a stretch where \(rates.1) do just below it"
        return Slowdown(level: failing.level, effect: effect, occasions: failing.occasions)
    }
}
