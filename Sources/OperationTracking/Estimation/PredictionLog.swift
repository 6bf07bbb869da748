#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The estimates that were shown when fixed shares of the work were done, kept until the truth is known.
struct PredictionLog: Sendable {
    private struct Prediction: Sendable {
        var time: Double
        var estimate: RemainingTime
    }

    private var predictions: [Prediction] = []
    private var next = 0

    private static let shares = [0.1, 0.25, 0.5, 0.75, 0.9]

    /// Keeps an estimate when the next of the shares has been passed.
    mutating func note(_ estimate: RemainingTime, at time: Double, share: Double) {
        guard next < Self.shares.count, share >= Self.shares[next] else { return }
        while next < Self.shares.count, share >= Self.shares[next] { next += 1 }
        predictions.append(Prediction(time: time, estimate: estimate))
    }

    /// Judges them against a run's end. What was shown less than half a second before says nothing.
    func judged(endingAt end: Double) -> EstimateAccuracy {
        var accuracy = EstimateAccuracy()
        for prediction in predictions where end - prediction.time > 0.5 {
            let truth = end - prediction.time
            accuracy.count += 1
            if prediction.estimate.low <= truth, truth <= prediction.estimate.high { accuracy.covered += 1 }
            accuracy.logErrorSum += min(abs(log(max(prediction.estimate.expected, 0.01) / truth)), 10)
        }
        return accuracy
    }
}
