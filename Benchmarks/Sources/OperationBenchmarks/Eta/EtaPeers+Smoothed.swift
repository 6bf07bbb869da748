import Foundation

/// An exponential average of the rate over twenty seconds; a check of the scorer, not a program.
struct TwentySeconds: EtaEstimator {
    private let total: Double
    private var last = (seconds: 0.0, bytes: 0.0)
    private var rate = 0.0
    private var weight = 0.0
    init(total: Double) { self.total = total }
    mutating func observe(_ seconds: Double, _ bytes: Double) {
        guard seconds > last.seconds else { return }
        let keep = exp(-(seconds - last.seconds) / 20)
        rate = rate * keep + (bytes - last.bytes) / (seconds - last.seconds) * (1 - keep)
        weight = weight * keep + (1 - keep)
        last = (seconds, bytes)
    }
    var prediction: EtaPrediction? {
        weight > 0 ? EtaPrediction(expected: (total - last.bytes) * weight / rate) : nil
    }
}

/// indicatif: two exponential averages after one another; what is 15 s old counts a tenth.
struct Indicatif: EtaEstimator {
    private let total: Double
    private var last = (seconds: 0.0, bytes: 0.0)
    private var once = 0.0
    private var twice = 0.0
    init(total: Double) { self.total = total }
    mutating func observe(_ seconds: Double, _ bytes: Double) {
        guard seconds > last.seconds else { return }
        let weight = pow(0.1, (seconds - last.seconds) / 15)
        let rate = (bytes - last.bytes) / (seconds - last.seconds)
        once = once * weight + rate * (1 - weight)
        let unbiased = once / (1 - pow(0.1, seconds / 15))
        twice = twice * weight + unbiased * (1 - weight)
        last = (seconds, bytes)
    }
    var prediction: EtaPrediction? {
        guard twice > 0 else { return nil }
        return EtaPrediction(expected: (total - last.bytes) * (1 - pow(0.1, last.seconds / 15)) / twice)
    }
}

/// Firefox: a tenth of the rate every 400 ms, and a display that swings down more readily than up.
struct Firefox: EtaEstimator {
    private let total: Double
    private var last = (seconds: 0.0, bytes: 0.0)
    private var rate: Double?
    private var shown: Double?
    init(total: Double) { self.total = total }
    mutating func observe(_ seconds: Double, _ bytes: Double) {
        guard seconds - last.seconds >= 0.4 - 1e-9 else { return }
        let now = (bytes - last.bytes) / (seconds - last.seconds)
        let next = rate.map { 0.1 * now + 0.9 * $0 } ?? now
        rate = next
        last = (seconds, bytes)
        guard next > 0 else { return }
        show((total - bytes) / next)
    }
    private mutating func show(_ estimate: Double) {
        guard let before = shown, estimate > before / 2 else {
            shown = estimate
            return
        }
        let change = estimate - before
        let isSimilar = abs(change) < 5 || abs(change / before) < 0.05
        shown = isSimilar ? before - (change < 0 ? 0.4 : 0.2) : before + change * (change < 0 ? 0.3 : 0.1)
    }
    var prediction: EtaPrediction? { shown.map { EtaPrediction(expected: $0) } }
}
