/// A figure beside its threshold, and the words for both.
struct OverloadMeasure: Sendable {
    enum Limit {
        /// The figure may not be above the threshold.
        case atMost
        /// The figure may not be below the threshold.
        case atLeast
    }

    let code: OverloadReason.Code
    let value: Double
    let threshold: Double
    let limit: Limit
    /// What the figure is of, as the beginning of a sentence with "is" to follow.
    let subject: String
    /// What can be done, as a sentence.
    let advice: String
    let format: @Sendable (Double) -> String

    var isOver: Bool {
        switch limit {
        case .atMost: value > threshold
        case .atLeast: value < threshold
        }
    }

    func isWellBelow(leaveFraction: Double) -> Bool {
        switch limit {
        case .atMost: value <= mark(leaveFraction)
        case .atLeast: value >= mark(leaveFraction)
        }
    }

    /// The figure at which the reason ends.
    private func mark(_ leaveFraction: Double) -> Double {
        let fraction = leaveFraction.isFinite ? min(max(leaveFraction, 0.01), 1) : 1
        return limit == .atMost ? threshold * fraction : threshold / fraction
    }

    func message(leaveFraction: Double) -> String {
        let (side, far) = limit == .atMost ? ("above", "below") : ("below", "above")
        guard !isOver else {
            return "\(subject) is \(format(value)), \(side) the threshold of \(format(threshold)). \(advice)"
        }
        return
            "\(subject) is \(format(value)) after having been \(side) the threshold of \(format(threshold)): that is over "
            + "once it is \(far) \(format(mark(leaveFraction))), or has been \(far) the threshold for a while. \(advice)"
    }
}

extension OverloadPolicy {
    /// All that there is a threshold and a figure for.
    func measures(of figures: OverloadAssessment) -> [OverloadMeasure] {
        let host = figures.host
        let fewer = "Wait until an operation has ended, or pause one."
        let cores = Figures.cores(host?.availableCores ?? 1)
        return [
            .percent(
                .operationsCPU,
                figures.cpuPercent,
                atMost: cpuPercent,
                subject: "The CPU use of all operations together (of \(cores))",
                advice: fewer
            ),
            .bytes(
                .operationsMemory,
                figures.memoryBytes,
                .atMost,
                memoryBytes,
                subject: "The memory of all operations together",
                advice: fewer
            ),
            .percent(
                .hostCPU,
                host?.cpuPercentOfAllCores,
                atMost: hostCPUPercent,
                subject: "The CPU use of the whole machine",
                advice: "Wait, or end other programs that need the CPU."
            ),
            .bytes(
                .hostMemory,
                host?.usableMemoryBytes,
                .atLeast,
                minimumAvailableMemoryBytes,
                subject: "The memory that is left",
                advice: "Wait until an operation has ended, or end programs that hold much memory."
            ),
            .percent(
                .memoryPressure,
                host?.pressure.memoryPercent,
                atMost: memoryPressurePercent,
                subject: "The time in which work stood still for want of memory",
                advice: "Wait until an operation has ended, or end programs that hold much memory."
            ),
            .bytes(
                .diskSpace,
                host?.diskAvailableBytes,
                .atLeast,
                minimumDiskBytes,
                subject: "The space left on the data directory's disk",
                advice: "Delete what is not needed, such as models or old downloads."
            ),
        ].compactMap(\.self)
    }
}

extension OverloadMeasure {
    fileprivate static func percent(
        _ code: OverloadReason.Code,
        _ value: Double?,
        atMost threshold: Double?,
        subject: String,
        advice: String
    ) -> OverloadMeasure? {
        guard let value, let threshold else { return nil }
        return OverloadMeasure(
            code: code,
            value: value,
            threshold: threshold,
            limit: .atMost,
            subject: subject,
            advice: advice,
            format: Figures.percent
        )
    }

    fileprivate static func bytes(
        _ code: OverloadReason.Code,
        _ value: Int64?,
        _ limit: Limit,
        _ threshold: Int64?,
        subject: String,
        advice: String
    ) -> OverloadMeasure? {
        guard let value, let threshold else { return nil }
        return OverloadMeasure(
            code: code,
            value: Double(value),
            threshold: Double(threshold),
            limit: limit,
            subject: subject,
            advice: advice,
            format: { Figures.bytes(Int64(clamping: $0)) }
        )
    }
}

extension Int64 {
    /// The nearest whole number there is; 0 for what is no number.
    init(clamping value: Double) {
        self = value.isNaN ? 0 : Int64(exactly: value.rounded()) ?? (value < 0 ? .min : .max)
    }
}
