import OperationTracking

struct OperationsCommand: Command {
    static let name = "operations"
    static let summary = "list what runs, waits or is paused now"
    static let operands = ""
    static let options: [Option] = [
        Option(
            "watch",
            short: "w",
            help: "show it live, a bar for each, until q or Ctrl-C; with --json, print each change"
        ),
        .data, .json,
    ]

    private let isWatching: Bool
    private let data: String
    private let json: Bool

    private static let interval: Duration = .milliseconds(100)

    init(_ options: ParsedOptions) throws {
        try options.refuseOperands()
        isWatching = options.has("watch")
        data = try DataDirectory.path(options)
        json = options.has("json")
    }

    func run() async throws -> ExitCode {
        if isWatching, json { return try await follow() }
        if isWatching, Console.canRewriteLines { return try await watch() }
        let look = OperationsLook(data: data)
        try await look.lookOnce()
        if json { printJSON(look.current) } else { OperationsTable(board: look.current).print() }
        return .done
    }

    /// Draws the screen anew whenever something has changed, the terminal's size among it.
    private func watch() async throws -> ExitCode {
        let look = OperationsLook(data: data)
        let following = Task { try await look.follow() }
        let drawing = Task {
            let screen = FullScreen()
            defer { screen.leave() }
            var size = (width: 0, height: 0)
            while !Task.isCancelled {
                let now = (width: Console.width, height: Console.height)
                let picture = OperationsScreen(width: now.width, height: now.height, usesColour: Console.usesColour)
                screen.draw(picture.lines(look.current), isResized: now != size)
                size = now
                try? await Task.sleep(for: Self.interval)
            }
        }
        let interrupt = Interrupt { drawing.cancel() }
        defer { interrupt.stop() }
        FullScreen.onKey("qQ") { drawing.cancel() }
        // A history that can't be read ends it.
        let failing = Task {
            do { try await following.value } catch { drawing.cancel() }
        }
        await drawing.value
        following.cancel()
        try await following.value
        await failing.value
        return .done
    }

    /// Prints each change as a line of JSON.
    private func follow() async throws -> ExitCode {
        let look = OperationsLook(data: data) { Console.json($0.jsonBytes()) }
        let following = Task { try await look.follow() }
        let interrupt = Interrupt { following.cancel() }
        defer { interrupt.stop() }
        try await following.value
        return .done
    }

    private func printJSON(_ board: OperationBoard) {
        let rows = board.rows
        var json = JSONWriter(capacity: 64 + 1024 * rows.count)
        json.beginObject()
        json.key("operations")
        json.beginArray()
        for row in rows { row.operation.write(to: &json) }
        json.endArray()
        json.key("count")
        json.value(rows.count)
        json.endObject()
        Console.json(json.bytes)
    }
}

/// What is active, as a table.
struct OperationsTable {
    let board: OperationBoard

    func print() {
        let rows = board.rows
        guard !rows.isEmpty else { return Console.line("Nothing runs, waits or is paused.") }
        Table(
            titles: ["ID", "STATUS", "PROGRESS", "TIME LEFT", "DESCRIPTION"],
            rows: rows.map { row in
                let operation = row.operation
                let percent = Format.number(operation.progress.percent.rounded(.down), decimals: 0) + " %"
                return [
                    operation.id.rawValue,
                    operation.status.rawValue,
                    percent,
                    operation.remaining.map { Format.remaining($0).replacing(" left", with: "") } ?? "",
                    String(repeating: "  ", count: row.depth) + operation.description.printable,
                ]
            }
        ).print { Colour.of(rows[$0].operation.status) }
    }
}
