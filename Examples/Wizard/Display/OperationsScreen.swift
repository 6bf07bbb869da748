import OperationTracking

/// A board of operations as lines of a terminal: two for each operation, the second with its bar.
struct OperationsScreen {
    let width: Int
    let height: Int
    let usesColour: Bool

    func lines(_ board: OperationBoard) -> [String] {
        let rows = board.rows
        let ended = Array(board.ended.prefix(max(0, min(board.ended.count, (height - 4) / 4))))
        // A head and a blank line, then a foot; those that have ended have a blank line before them.
        let room = max(0, height - 3 - (ended.isEmpty ? 0 : ended.count + 1))
        let fitting = 2 * rows.count <= room ? rows.count : max(0, room - 1) / 2
        var lines = [head(rows, board), ""]
        if rows.isEmpty { lines.append(paint("Nothing runs.", .faint)) }
        for row in rows.prefix(fitting) { lines += self.lines(row) }
        if fitting < rows.count { lines.append(paint("… and \(rows.count - fitting) more", .faint)) }
        if !ended.isEmpty { lines += [""] + ended.map(line(ended:)) }
        lines.append(paint("q or Ctrl-C ends the watching, not the work".truncated(to: width), .faint))
        return Array(lines.prefix(max(1, height)))
    }

    private func head(_ rows: [OperationBoard.Row], _ board: OperationBoard) -> String {
        let place = board.url ?? board.silent.map { "\($0) doesn't answer" } ?? "no server runs"
        let counts = [
            ("running", rows.count { $0.operation.status == .inProgress }),
            ("waiting", rows.count { $0.operation.status == .pending }),
            ("paused", rows.count { $0.operation.status == .paused }),
        ]
        let text = counts.filter { $0.1 > 0 || $0.0 == "running" }.map { "\($1) \($0)" }.joined(separator: ", ")
        guard text.columns + 2 + place.columns <= width else { return text.truncated(to: width) }
        return text.padded(to: width - place.columns) + paint(place, .faint)
    }

    private func lines(_ row: OperationBoard.Row) -> [String] {
        let indent = String(repeating: " ", count: 2 * row.depth)
        var operation = row.operation
        // Where it runs goes before its own words, which are some seconds old.
        if row.isOthers { (operation.phase, operation.message) = ("in another program", nil) }
        let bar = ProgressLine(operation: operation, width: width - indent.count - 2 + 4, usesColour: usesColour)
        return [title(operation, indent), indent + "  " + bar.text]
    }

    /// The description, and the id where there is room for it.
    private func title(_ operation: BackgroundOperation, _ indent: String) -> String {
        let id = operation.id.rawValue
        let room = width - indent.count
        guard room >= id.count + 2 + Self.shortestTitle else {
            return indent + operation.description.printable.truncated(to: room)
        }
        let description = operation.description.printable.truncated(to: room - id.count - 2)
        return indent + description.padded(to: room - id.count) + paint(id, .faint)
    }

    private static let shortestTitle = 20

    private func line(ended operation: BackgroundOperation) -> String {
        let ending = OperationEnding(operation: operation)
        let mark = ending.mark
        let time = Format.time(of: operation).map { "  in \($0)" } ?? ""
        let why = operation.failure.map { ": \($0.message.printable)" } ?? ""
        let text = "\(time)  \(operation.description.printable)\(why)".truncated(to: max(0, width - mark.columns))
        return paint(mark, Colour.of(operation.status)) + text
    }

    private func paint(_ text: String, _ colour: Colour) -> String { usesColour ? colour.paint(text) : text }
}
