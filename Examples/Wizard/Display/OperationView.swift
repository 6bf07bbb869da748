import OperationTracking

/// Shows an operation while it runs, and how it ended: to a person at a terminal, to a log, or to a program.
struct OperationView {
    enum Style {
        case live
        case plain
        case json
    }

    let style: Style
    private var lastPhase: String?
    private var lastTenth = 0
    private var lastMessage: String?

    init(json: Bool) {
        style = json ? .json : Console.canRewriteLines ? .live : .plain
    }

    mutating func begin(_ operation: BackgroundOperation) {
        switch style {
        case .json: Console.json(operation.jsonBytes())
        case .live, .plain: Console.line(operation.description.printable)
        }
    }

    mutating func show(_ operation: BackgroundOperation) {
        switch style {
        case .json:
            Console.json(operation.jsonBytes())
        case .live:
            let line = ProgressLine(operation: operation, width: Console.width, usesColour: Console.usesColour)
            Console.raw("\r\u{1B}[K" + line.text)
        case .plain:
            showPlain(operation)
        }
    }

    mutating func end(_ operation: BackgroundOperation) {
        switch style {
        case .json:
            Console.json(operation.jsonBytes())
        case .live:
            Console.raw("\r\u{1B}[K")
            Console.line(ending(operation))
        case .plain:
            Console.line(ending(operation))
        }
    }

    /// A log wants a line when something has happened, not one for every movement.
    private mutating func showPlain(_ operation: BackgroundOperation) {
        let tenth = Int(operation.progress.percent / 10)
        let hasNews = operation.phase != lastPhase || tenth > lastTenth || isNewMessage(operation.message)
        guard hasNews else { return }
        lastPhase = operation.phase
        lastTenth = max(tenth, lastTenth)
        lastMessage = operation.message
        Console.line(ProgressLine(operation: operation, width: 0, usesColour: false).figures)
    }

    /// Messages that differ in their numbers only, such as a count of seconds, are one message.
    private func isNewMessage(_ message: String?) -> Bool {
        guard let message else { return false }
        return message.filter { !$0.isNumber } != lastMessage?.filter { !$0.isNumber }
    }

    private func ending(_ operation: BackgroundOperation) -> String {
        let colour = Colour.of(operation.status)
        let mark =
            switch operation.status {
            case .completed: "✓ completed"
            case .failed: "✗ failed"
            case .cancelled: "– cancelled"
            case .pending, .inProgress, .paused: operation.status.rawValue
            }
        var parts = [Console.usesColour ? colour.paint(mark) : mark]
        let progress = operation.progress
        if progress.completedUnits > 0 { parts.append(Format.amount(progress.completedUnits, progress.unit)) }
        if let seconds = operation.activeSeconds { parts.append("in \(Format.duration(seconds))") }
        if progress.unit == .bytes, let rate = operation.meanRate { parts.append("(\(Format.bytes(rate))/s)") }
        parts.append(operation.id.rawValue)
        guard let failure = operation.failure else { return parts.joined(separator: "  ") }
        return parts.joined(separator: "  ") + "\n\(failure.code.rawValue.printable): \(failure.message.printable)"
    }
}
