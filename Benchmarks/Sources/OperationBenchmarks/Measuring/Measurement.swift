/// One measured thing: the median of several runs, beside what it is compared with and what it may cost.
struct Measurement {
    var name: String
    /// The median of the runs.
    var value: Double
    /// Of what ends in `/s`, more is better; of anything else, less.
    var unit: String
    /// The quartiles of the runs, or the interval that is told with a figure that isn't of runs.
    var spread: ClosedRange<Double>
    /// What does the same, or the least that it can cost, measured in the same run.
    var peer: Peer?
    var budget: Budget?

    /// What a measurement is compared with.
    struct Peer {
        var name: String
        /// In the measurement's unit; `nil` when it isn't on this machine.
        var value: Double?
        /// Whether it is this library's, too, so that what slows one slows both.
        var isOurs = false
    }

    init(
        _ name: String,
        _ timing: Timing,
        unit: String = "ns",
        peer: Peer? = nil,
        budget: Budget? = nil
    ) {
        self.name = name
        value = timing.median
        spread = timing.spread
        self.unit = unit
        self.peer = peer
        self.budget = budget
    }

    init(
        _ name: String,
        _ value: Double,
        in spread: ClosedRange<Double>,
        unit: String,
        peer: Peer? = nil,
        budget: Budget? = nil
    ) {
        self.name = name
        self.value = value
        self.spread = spread
        self.unit = unit
        self.peer = peer
        self.budget = budget
    }

    /// How often memory is asked for in each repetition of what has this name; empty where that can't be counted, which has been
    /// said then.
    static func allocations(_ name: String, _ counts: Timing?, atMost most: Double? = nil) -> [Measurement] {
        guard let counts else {
            leaveOut("how often \(name) asks for memory: that can't be counted on this system.")
            return []
        }
        let budget = most.map { Budget(valueAtMost: $0) }
        return [Measurement("\(name), memory asked for", counts, unit: "allocations", budget: budget)]
    }

    /// The value as a multiple of the peer's.
    var ratio: Double? {
        guard let other = peer?.value, other > 0 else { return nil }
        return value / other
    }

    /// Whether the budget is kept; `nil` when there is none, or nothing to compare with.
    var isMet: Bool? { budget?.isMet(by: self) }
}

/// What a measurement may come to at most or at least. Each part that is given has to hold.
struct Budget {
    var ratioAtMost: Double?
    var ratioAtLeast: Double?
    var valueAtMost: Double?
    var valueAtLeast: Double?

    func isMet(by measurement: Measurement) -> Bool? {
        var results: [Bool?] = []
        if let ratioAtMost { results.append(measurement.ratio.map { $0 <= ratioAtMost }) }
        if let ratioAtLeast { results.append(measurement.ratio.map { $0 >= ratioAtLeast }) }
        if let valueAtMost { results.append(measurement.value <= valueAtMost) }
        if let valueAtLeast { results.append(measurement.value >= valueAtLeast) }
        if results.contains(false) { return false }
        return results.contains(nil) ? nil : true
    }
}
