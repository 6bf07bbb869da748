#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The moment at which an operation is said to finish. It stays, and the time remaining counts down to it, until a forecast
/// differs by more than the forecast's dead band; then it moves to the forecast.
struct SteadyFinish: Sendable {
    private var finish: Double?

    /// Takes a forecast.
    ///
    /// - Parameters:
    ///   - forecast: made at `time`.
    ///   - mayMove: whether it may move now. It must when it lies in the past.
    mutating func take(_ forecast: RateForecast, at time: Double, mayMove: Bool) {
        if let remaining = remaining(at: time), remaining > 0 {
            guard mayMove, abs(forecast.logExpected - log(remaining)) > forecast.deadBand else { return }
        }
        finish = time + exp(forecast.logExpected)
    }

    mutating func forget() { finish = nil }

    func remaining(at time: Double) -> Double? { finish.map { $0 - time } }
}
