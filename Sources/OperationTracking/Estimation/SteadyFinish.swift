#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The moment at which an operation is said to finish, and how wide the interval round it is. Both stay, and the time remaining
/// counts down, until a forecast differs by more than its dead band; then they move to the forecast.
struct SteadyFinish: Sendable {
    private var finish: Double?
    /// The spread of the logarithm of what remains.
    private(set) var spread = 0.0
    /// How far it rests on the rate, as ``RateForecast/weightOfRate``.
    private(set) var weightOfRate = 0.0

    /// The ends of the interval that holds four truths in five lie at so many spreads from what is expected.
    static let (below, above) = (1.2, 1.85)

    /// Takes a forecast that was made for `known`, at `now`.
    mutating func take(_ forecast: RateForecast, for known: Double, at now: Double) {
        // So that what is said of it doesn't change to and fro either.
        if abs(forecast.weightOfRate - weightOfRate) > 0.05 { weightOfRate = forecast.weightOfRate }
        if let finish, finish > now, abs(forecast.logExpected - log(finish - known)) <= forecast.deadBand {
            if Self.above * abs(forecast.spread - spread) > forecast.deadBand { spread = forecast.spread }
            return
        }
        finish = known + exp(forecast.logExpected)
        spread = forecast.spread
    }

    mutating func forget() { finish = nil }

    func remaining(at time: Double) -> Double? { finish.map { max(0, $0 - time) } }
}
