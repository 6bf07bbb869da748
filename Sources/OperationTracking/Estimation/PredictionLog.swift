#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The estimates that were shown when fixed shares of the work were done, kept until the truth is known.
struct PredictionLog: Sendable {
    /// Seven digits are more than an estimate has.
    private struct Prediction: Sendable {
        var time, expected, low, high: Float
    }

    private var predictions: [Prediction] = []
    private var next: UInt8 = 0

    private static let shares = [0.1, 0.25, 0.5, 0.75, 0.9]

    /// Keeps an estimate when the next of the shares has been passed.
    mutating func note(_ estimate: RemainingTime, at time: Double, share: Double) {
        let passed = UInt8(Self.shares.prefix { share >= $0 }.count)
        guard passed > next else { return }
        next = passed
        predictions.reserveCapacity(Self.shares.count)
        predictions.append(
            Prediction(
                time: Float(time),
                expected: Float(estimate.expected),
                low: Float(estimate.low),
                high: Float(estimate.high)
            )
        )
    }

    /// Judges them against a run's end. What was shown less than half a second before says nothing.
    func judged(endingAt end: Double) -> EstimateAccuracy {
        var accuracy = EstimateAccuracy()
        for prediction in predictions {
            let truth = end - Double(prediction.time)
            guard truth > 0.5 else { continue }
            accuracy.count += 1
            if Double(prediction.low) <= truth, truth <= Double(prediction.high) { accuracy.covered += 1 }
            accuracy.logErrorSum += min(abs(log(max(Double(prediction.expected), 0.01) / truth)), 10)
        }
        return accuracy
    }
}
