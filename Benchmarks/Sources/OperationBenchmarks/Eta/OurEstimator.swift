import OperationTracking

/// This library's estimator.
struct OurEstimator: EtaEstimator {
    private var estimator = RemainingTimeEstimator()
    private let total: Int64

    init(total: Double) { self.total = Int64(total) }

    mutating func observe(_ seconds: Double, _ bytes: Double) {
        estimator.observe(at: seconds, completed: Int64(bytes), present: 0, total: total)
    }

    var prediction: EtaPrediction? {
        estimator.estimate.map { EtaPrediction(expected: $0.expected, interval: ($0.low, $0.high)) }
    }
}
