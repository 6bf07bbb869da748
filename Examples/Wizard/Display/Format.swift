import OperationTracking

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Amounts and times as people read them.
enum Format {
    /// Bytes in units of 1024, as the original system counts its MB.
    static func bytes(_ count: Double) -> String {
        var value = count
        for unit in ["B", "KB", "MB", "GB"] {
            if value < 1000 { return "\(number(value, decimals: unit == "B" ? 0 : value < 10 ? 1 : 0)) \(unit)" }
            value /= 1024
        }
        return "\(number(value, decimals: 1)) TB"
    }

    static func bytes(_ count: Int64) -> String { bytes(Double(count)) }

    /// How much was done; of a fraction what is shown of it, which is 100 % for what is completed alone.
    static func done(_ progress: OperationProgress) -> String {
        progress.unit == .fraction
            ? "\(number(progress.percent.rounded(.down), decimals: 0)) %"
            : amount(progress.completedUnits, progress.unit)
    }

    static func amount(_ units: Int64, _ unit: OperationUnit) -> String {
        switch unit {
        case .bytes: bytes(units)
        case .items: "\(units)"
        case .fraction: "\(number(Double(units) * 100 / Double(OperationUnit.wholeFraction), decimals: 0)) %"
        }
    }

    /// A time as its two largest parts, such as `1m 20s`.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite else { return "?" }
        if seconds < 10 { return "\(number(max(0, seconds), decimals: 1))s" }
        let whole = Int(min(seconds, 1e9).rounded())
        switch whole {
        case ..<60: return "\(whole)s"
        case ..<3600: return "\(whole / 60)m \(whole % 60)s"
        case ..<86_400: return "\(whole / 3600)h \(whole % 3600 / 60)m"
        default: return "\(whole / 86_400)d \(whole % 86_400 / 3600)h"
        }
    }

    /// How long an operation has been at work. Where nobody was there when it ended, no more is known than was written before.
    static func time(of operation: BackgroundOperation) -> String? {
        operation.activeSeconds.map { (operation.failure?.code == .interrupted ? "over " : "") + duration($0) }
    }

    /// Time remaining as a range; it is one time when both ends read the same.
    static func remaining(_ time: RemainingTime) -> String {
        let low = coarse(time.low)
        let high = coarse(time.high)
        return low == high ? "\(high) left" : "\(low)–\(high) left"
    }

    /// A range needs no more than two significant digits.
    private static func coarse(_ seconds: Double) -> String {
        let step: Double =
            switch seconds {
            case ..<10: 1
            case ..<60: 5
            case ..<600: 10
            case ..<3600: 60
            default: 600
            }
        let rounded = max(1, (seconds / step).rounded() * step)
        return rounded < 60
            ? "\(Int(rounded))s" : duration(rounded).replacing(" 0s", with: "").replacing(" 0m", with: "")
    }

    static func moment(_ date: Date) -> String {
        date.formatted(
            Date.ISO8601FormatStyle(dateTimeSeparator: .space, timeZone: .gmt).year().month().day().time(
                includingFractionalSeconds: false
            )
        )
    }

    static func number(_ value: Double, decimals: Int) -> String {
        let scale = decimals == 0 ? 1 : decimals == 1 ? 10 : 100
        let scaled = Int((value * Double(scale)).rounded())
        guard decimals > 0 else { return "\(scaled)" }
        let fraction = "\(scaled % scale)"
        return "\(scaled / scale)." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }
}

extension String {
    /// The text without what would move a terminal's cursor or change its colours: much of what is shown comes from servers.
    var printable: String {
        guard unicodeScalars.contains(where: \.movesText) else { return self }
        return String(String.UnicodeScalarView(unicodeScalars.map { $0.movesText ? "\u{FFFD}" : $0 }))
    }
}
