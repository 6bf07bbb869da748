import OperationTracking

/// How an operation ended, in a line; a second one says why it failed.
struct OperationEnding {
    let operation: BackgroundOperation

    var text: String {
        let parts = [Console.usesColour ? Colour.of(operation.status).paint(mark) : mark] + figures
        guard let failure = operation.failure else { return parts.joined(separator: "  ") }
        return parts.joined(separator: "  ") + "\n\(failure.code.rawValue.printable): \(failure.message.printable)"
    }

    var mark: String {
        switch operation.status {
        case .completed: "✓ completed"
        case .failed: "✗ failed"
        case .cancelled: "– cancelled"
        case .pending, .inProgress, .paused: operation.status.rawValue
        }
    }

    private var figures: [String] {
        var parts: [String] = []
        let progress = operation.progress
        if progress.completedUnits > 0 { parts.append(Format.done(progress)) }
        if let time = Format.time(of: operation) { parts.append("in \(time)") }
        if progress.unit == .bytes, let rate = operation.meanRate { parts.append("(\(Format.bytes(rate))/s)") }
        parts.append(operation.id.rawValue)
        return parts
    }
}
