import OperationTracking

/// Shows an operation while it runs, with the part of it that runs now, and how it ended: to a person at a terminal, to a log,
/// or to a program.
struct OperationView {
    enum Style {
        case live
        case plain
        case json
    }

    let style: Style
    private var hasBegun = false
    private var whole: BackgroundOperation?
    private var part: BackgroundOperation?
    private var linesDrawn = 0
    private var news = News()
    private var partNews = News()

    init(json: Bool) {
        style = json ? .json : Console.canRewriteLines ? .live : .plain
    }

    /// Takes an event of an operation: `id` itself, or a part of it; others are left out.
    ///
    /// - Returns: whether the operation has ended.
    mutating func take(_ operation: BackgroundOperation, _ kind: OperationEvent.Kind, of id: OperationID) -> Bool {
        if operation.parentID == id { showPart(operation, kind) }
        guard operation.id == id else { return false }
        if !hasBegun { begin(operation) }
        guard case .finished = kind else {
            if kind != .started { show(operation) }
            return operation.status.isTerminal
        }
        end(operation)
        return true
    }

    /// Says something in between.
    mutating func notice(_ text: String) {
        clear()
        Console.error("wizard: \(text)")
    }

    private mutating func begin(_ operation: BackgroundOperation) {
        hasBegun = true
        switch style {
        case .json: Console.json(operation.jsonBytes())
        case .live, .plain: Console.line(operation.description.printable)
        }
    }

    private mutating func show(_ operation: BackgroundOperation) {
        whole = operation
        switch style {
        case .json: Console.json(operation.jsonBytes())
        case .live: draw()
        case .plain:
            guard news.take(operation) else { return }
            Console.line(ProgressLine(operation: operation, width: 0, usesColour: false).figures)
        }
    }

    mutating func end(_ operation: BackgroundOperation) {
        switch style {
        case .json:
            Console.json(operation.jsonBytes())
        case .live, .plain:
            clear()
            Console.line(OperationEnding(operation: operation).text)
        }
    }

    /// Shows a part of the operation. Of parts that run at once the latest is shown.
    private mutating func showPart(_ operation: BackgroundOperation, _ kind: OperationEvent.Kind) {
        if style == .json { return Console.json(operation.jsonBytes()) }
        switch kind {
        case .started:
            (part, partNews) = (operation, News())
            if style == .plain { Console.line("  " + operation.description.printable) }
        case .finished:
            part = nil
            clear()
            Console.line("  \(operation.description.printable)  \(OperationEnding(operation: operation).text)")
        default:
            part = operation
            guard style == .plain, partNews.take(operation) else { break }
            Console.line("  " + ProgressLine(operation: operation, width: 0, usesColour: false).figures)
        }
        if style == .live { draw() }
    }

    private mutating func draw() {
        clear()
        let (width, usesColour) = (Console.width, Console.usesColour)
        var lines: [String] = []
        if let whole { lines.append(ProgressLine(operation: whole, width: width, usesColour: usesColour).text) }
        if let part {
            lines.append("  " + ProgressLine(operation: part, width: max(0, width - 2), usesColour: usesColour).text)
        }
        Console.raw(lines.joined(separator: "\n"))
        linesDrawn = lines.count
    }

    /// Takes away what was drawn: each line by itself, from the lowest up.
    mutating func clear() {
        guard style == .live else { return }
        Console.raw("\r\u{1B}[K" + String(repeating: "\u{1B}[A\r\u{1B}[K", count: max(0, linesDrawn - 1)))
        linesDrawn = 0
    }

    /// Whether there is something to be said in a log: that wants a line when something has happened, not for every movement.
    private struct News {
        private var lastPhase: String?
        private var lastTenth = 0
        private var lastMessage: String?

        mutating func take(_ operation: BackgroundOperation) -> Bool {
            let tenth = Int(operation.progress.percent / 10)
            guard operation.phase != lastPhase || tenth > lastTenth || isNewMessage(operation.message) else {
                return false
            }
            lastPhase = operation.phase
            lastTenth = max(tenth, lastTenth)
            lastMessage = operation.message
            return true
        }

        /// Messages that differ in their numbers only, such as a count of seconds, are one message.
        private func isNewMessage(_ message: String?) -> Bool {
            guard let message else { return false }
            return message.filter { !$0.isNumber } != lastMessage?.filter { !$0.isNumber }
        }
    }
}
