import OperationTracking

/// One operation as one line: bar, per cent, amount, speed, time remaining, phase.
struct ProgressLine {
    let operation: BackgroundOperation
    let width: Int
    let usesColour: Bool

    /// The figures alone, for a log.
    var figures: String { (parts + words).joined(separator: "  ") }

    /// The bar, and the figures that there is room for.
    var text: String {
        // Some room is left at the end for the ^C that a terminal writes itself.
        let room = width - 4
        // As long as the figures change, the bar doesn't.
        let length = max(Self.shortestBar, min(Self.longestBar, room * 3 / 10))
        return bar(length) + "  " + shown(in: room - length - 2).joined(separator: "  ")
    }

    private static let shortestBar = 8
    private static let longestBar = 30

    /// What there is room for, two columns apart. A figure stands whole or not at all; words may be cut.
    private func shown(in room: Int) -> [String] {
        var room = room
        var shown: [String] = []
        for (part, isFigure) in parts.map({ ($0, true) }) + words.map({ ($0, false) }) {
            let left = room - (shown.isEmpty ? 0 : 2)
            guard part.columns <= left else {
                if !isFigure, left >= Self.shortestWord { shown.append(part.truncated(to: left)) }
                break
            }
            shown.append(part)
            room = left - part.columns
        }
        return shown
    }

    private static let shortestWord = 6

    /// The figures, the most wanted first: what doesn't fit is left out at the end.
    private var parts: [String] {
        var parts = [percent]
        if let state { parts.append(state) }
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
        return parts
    }

    /// What the work says itself.
    private var words: [String] { [operation.phase, operation.message].compactMap { $0?.printable } }

    /// How much is being done a second time: the amounts stand for what is true, the bar for what was reached before.
    private var unitsAgain: Int64? {
        let progress = operation.progress
        guard let total = progress.totalUnits, progress.rewoundUnits > 0, operation.status.isActive else { return nil }
        let reached = Int64(progress.percent / 100 * Double(total))
        // Below a per cent the difference is that of the shown per cent's own rounding.
        return reached - progress.completedUnits > total / 100
            ? min(reached - progress.completedUnits, progress.rewoundUnits) : nil
    }

    /// What there is to say beside that it runs.
    private var state: String? {
        switch (operation.pendingRequest, operation.status) {
        case (.cancel?, _): "cancelling"
        case (.pause?, .inProgress): "pausing"
        case (.pause?, .pending): "held"
        case (_, .pending): "waiting"
        case (_, .paused): "paused"
        case (_, .inProgress), (_, .completed), (_, .failed), (_, .cancelled): nil
        }
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
