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
    /// In seconds; not a number while there is none.
    private var finish = Double.nan
    /// The spread of the logarithm of what remains.
    var spread: Double { Double(shownSpread) }
    /// How much farther than its spreads the low end lies, as ``RateForecast/lead``.
    var lead: Double { Double(shownLead) }
    /// How far it rests on the rate, as ``RateForecast/weightOfRate``.
    var weightOfRate: Double { Double(shownWeight) }
    private var shownSpread: Float = 0
    private var shownLead: Float = 0
    private var shownWeight: Float = 0

    /// The ends of the interval that holds four truths in five lie at so many spreads from what is expected.
    static let (below, above) = (1.2, 1.85)

    /// Takes a forecast that was made for `known`, at `now`.
    mutating func take(_ forecast: RateForecast, for known: Double, at now: Double) {
        // So that what is said of it doesn't change to and fro either.
        if abs(forecast.weightOfRate - weightOfRate) > 0.05 { shownWeight = Float(forecast.weightOfRate) }
        if finish > now, abs(forecast.logExpected - log(finish - known)) <= forecast.deadBand {
            let widening = forecast.spread - spread
            let change = max(abs(Self.above * widening), abs(Self.below * widening + forecast.lead - lead))
            if change > forecast.deadBand { widen(to: forecast) }
            return
        }
        finish = known + exp(forecast.logExpected)
        widen(to: forecast)
    }

    private mutating func widen(to forecast: RateForecast) {
        shownSpread = Float(forecast.spread)
        shownLead = Float(forecast.lead)
    }

    /// Tells the finish as from a moment so many seconds later than before.
    mutating func comes(earlier seconds: Double) { finish -= seconds }

    mutating func forget() { finish = .nan }

    func remaining(at time: Double) -> Double? { finish.isNaN ? nil : max(0, finish - time) }
}
