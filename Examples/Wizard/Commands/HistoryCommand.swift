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

    /// As over HTTP.
    private static let longestText = 1000

    private let query: HistoryQuery
    private let data: String
    private let json: Bool

    init(_ options: ParsedOptions) throws {
        try options.refuseOperands()
        var query = HistoryQuery(limit: try options.number("limit", in: 1...1000) ?? 20)
        for name in try options.list("type") {
            query.types.insert(try OperationType(given: name))
        }
        for name in try options.list("status") {
            guard let status = OperationStatus(rawValue: name) else {
                let known = OperationStatus.allCases.map(\.rawValue).joined(separator: ", ")
                throw UsageError("'\(name)' is no status: it is one of \(known).")
            }
            query.statuses.insert(status)
        }
        if let text = options.text("text") {
            guard text.unicodeScalars.count <= Self.longestText else {
                throw UsageError("--text takes at most \(Self.longestText) characters: part of a description will do.")
            }
            query.text = text
        }
        query.cursor = options.text("cursor")
        self.query = query
        data = try DataDirectory.path(options)
        json = options.has("json")
    }

    func run() async throws -> ExitCode {
        let page: HistoryPage
        do {
            page = try await History.reading(data) { try await $0.page(query) }
        } catch let error as HistoryError where error.code == .invalidCursor {
            throw UsageError(error.message)
        }
        if json {
            Console.json(page.jsonBytes())
        } else {
            HistoryTable(page: page).print()
        }
        return .done
    }
}

extension OperationType {
    /// - Throws: ``UsageError`` for what can be none.
    init(given name: String) throws {
        guard let type = OperationType(rawValue: name) else {
            throw UsageError("'\(name)' is no operation type: they are lower-case words such as pull_model.")
        }
        self = type
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
        let rows = page.records.map { Self.row($0.operation) }
        Table(titles: Self.titles, rows: rows).print(statusColumn: 2) { Colour.of(page.records[$0].operation.status) }
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
            Format.time(of: operation) ?? "",
            progress.completedUnits > 0 ? Format.done(progress) : "",
            operation.id.rawValue,
            (operation.description + why).printable.truncated(to: 60),
        ]
    }
}
