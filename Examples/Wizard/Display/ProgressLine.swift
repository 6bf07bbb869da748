import OperationTracking

/// One operation as one line: bar, per cent, amount, speed, time remaining, phase.
struct ProgressLine {
    let operation: BackgroundOperation
    let width: Int
    let usesColour: Bool

    /// The figures alone, for a log.
    var figures: String { parts.joined(separator: "  ") }

    var text: String {
        let figures = figures
        // Some room is left at the end for the ^C that a terminal writes itself.
        let room = width - figures.count - 6
        let bar = room >= 8 ? self.bar(min(30, room)) + "  " : ""
        return bar + figures.truncated(to: max(10, width - 4))
    }

    /// The figures, the most wanted first: what doesn't fit is left out at the end.
    private var parts: [String] {
        var parts = [percent]
        let progress = operation.progress
        if progress.unit == .fraction {
            // The percentage has said it.
        } else if let total = progress.totalUnits {
            parts.append(
                "\(Format.amount(progress.completedUnits, progress.unit)) / \(Format.amount(total, progress.unit))"
            )
        } else if progress.completedUnits > 0 {
            parts.append(Format.amount(progress.completedUnits, progress.unit))
        }
        if let again = unitsAgain { parts.append("(\(Format.amount(again, progress.unit)) again)") }
        if let bits = operation.resources.networkBitsPerSecond, operation.status == .inProgress {
            parts.append("\(Format.bytes(bits / 8))/s")
        }
        if let remaining = operation.remaining, remaining.expected > 0 { parts.append(Format.remaining(remaining)) }
        if let phase = operation.phase { parts.append(phase.printable) }
        if let message = operation.message { parts.append(message.printable) }
        return parts
    }

    /// How much is being done a second time: the amounts stand for what is true, the bar for what was reached before.
    private var unitsAgain: Int64? {
        let progress = operation.progress
        guard let total = progress.totalUnits, progress.rewoundUnits > 0, operation.status.isActive else { return nil }
        let reached = Int64(progress.percent / 100 * Double(total))
        // Below a per cent the difference is that of the shown per cent's own rounding.
        return reached - progress.completedUnits > total / 100
            ? min(reached - progress.completedUnits, progress.rewoundUnits) : nil
    }

    private var percent: String {
        let text = "\(Format.number(operation.progress.percent.rounded(.down), decimals: 0)) %"
        return String(repeating: " ", count: max(0, 5 - text.count)) + text
    }

    private func bar(_ width: Int) -> String {
        let eighths = Int(operation.progress.percent / 100 * Double(width * 8))
        let full = String(repeating: "█", count: eighths / 8)
        let part = eighths % 8 > 0 ? String(Self.partial[eighths % 8 - 1]) : ""
        let rest = String(repeating: "░", count: width - full.count - part.count)
        guard usesColour else { return full + part + rest }
        return Colour.of(operation).paint(full + part) + Colour.faint.paint(rest)
    }

    private static let partial = Array("▏▎▍▌▋▊▉")
}

/// The original's colours, in the terminal's own.
enum Colour: String {
    case emerald = "32"
    case blue = "34"
    case indigo = "35"
    case red = "31"
    case yellow = "33"
    case faint = "2"
    case plain = "0"

    func paint(_ text: String) -> String { text.isEmpty ? "" : "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" }

    static func of(_ operation: BackgroundOperation) -> Colour {
        switch operation.type {
        case .pullModel: .emerald
        case .seed: .blue
        case .install: .indigo
        default: .plain
        }
    }

    static func of(_ status: OperationStatus) -> Colour {
        switch status {
        case .completed: .emerald
        case .failed: .red
        case .cancelled, .paused: .yellow
        case .pending, .inProgress: .plain
        }
    }
}
