import OperationHistorySQLite
import OperationTracking

struct HistoryCommand: Command {
    static let name = "history"
    static let summary = "list what has run, newest first"
    static let operands = ""
    static let options: [Option] = [
        Option("type", "TYPE", help: "only this type, such as pull_model; may be given more than once"),
        Option(
            "status",
            "STATUS",
            help: "only this status: \(OperationStatus.allCases.map(\.rawValue).joined(separator: ", "))"
        ),
        Option("text", "TEXT", help: "only descriptions that contain TEXT"),
        Option("limit", "N", help: "at most N operations, 1 to 1000 (default 20)"),
        Option("cursor", "CURSOR", help: "go on where the page before ended"),
        .data, .json,
    ]

    private let query: HistoryQuery
    private let data: String
    private let json: Bool

    init(_ options: ParsedOptions) throws {
        try options.refuseOperands()
        var query = HistoryQuery(limit: try options.number("limit", in: 1...1000) ?? 20)
        for name in try options.list("type") {
            guard let type = OperationType(rawValue: name) else {
                throw UsageError("'\(name)' is no operation type: they are lower-case words such as pull_model.")
            }
            query.types.insert(type)
        }
        for name in try options.list("status") {
            guard let status = OperationStatus(rawValue: name) else {
                let known = OperationStatus.allCases.map(\.rawValue).joined(separator: ", ")
                throw UsageError("'\(name)' is no status: it is one of \(known).")
            }
            query.statuses.insert(status)
        }
        query.text = options.text("text")
        query.cursor = options.text("cursor")
        self.query = query
        data = try DataDirectory.path(options)
        json = options.has("json")
    }

    func run() async throws -> ExitCode {
        let history = try await History.open(in: data)
        let page: HistoryPage
        do {
            page = try await history.page(query)
        } catch let error as HistoryError where error.code == .invalidCursor {
            throw UsageError(error.message)
        }
        await history.close()
        if json {
            Console.json(page.jsonBytes())
        } else {
            HistoryTable(page: page).print()
        }
        return .done
    }
}

/// A page of history as a table.
struct HistoryTable {
    let page: HistoryPage

    func print() {
        guard !page.records.isEmpty else {
            Console.line("Nothing has run yet, or nothing matches.")
            return
        }
        var rows = page.records.map { Self.row($0.operation) }
        let widths = (0..<Self.titles.count).map { column in
            max(Self.titles[column].count, rows.map { $0[column].count }.max() ?? 0)
        }
        if Console.isTerminal {
            let room = max(20, Console.width - widths.dropLast().reduce(0) { $0 + $1 + 2 })
            for index in rows.indices { rows[index][6] = rows[index][6].truncated(to: room) }
        }
        Console.line(Self.line(Self.titles, widths))
        for (row, record) in zip(rows, page.records) {
            let line = Self.line(row, widths)
            guard Console.usesColour else {
                Console.line(line)
                continue
            }
            let colour = Colour.of(record.operation.status)
            Console.line(
                line.replacing(
                    row[2].padded(to: widths[2]),
                    with: colour.paint(row[2].padded(to: widths[2])),
                    maxReplacements: 1
                )
            )
        }
        if let cursor = page.nextCursor { Console.line("More: --cursor \(cursor)") }
    }

    private static let titles = ["CREATED (UTC)", "TYPE", "STATUS", "TIME", "SIZE", "ID", "DESCRIPTION"]

    private static func row(_ operation: BackgroundOperation) -> [String] {
        let progress = operation.progress
        let why = operation.failure.map { " [\($0.code.rawValue)]" } ?? ""
        return [
            Format.moment(operation.createdAt),
            operation.type.rawValue,
            operation.status.rawValue,
            operation.activeSeconds.map(Format.duration) ?? "",
            progress.completedUnits > 0 ? Format.amount(progress.completedUnits, progress.unit) : "",
            operation.id.rawValue,
            (operation.description + why).printable.truncated(to: 60),
        ]
    }

    private static func line(_ fields: [String], _ widths: [Int]) -> String {
        let padded = zip(fields, widths).map { $0.padded(to: $1) }.joined(separator: "  ")
        return String(padded.reversed().drop { $0 == " " }.reversed())
    }
}
