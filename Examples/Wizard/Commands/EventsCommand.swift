import OperationTracking

struct EventsCommand: Command {
    static let name = "events"
    static let summary = "list who did what, newest first: operations and processes started, ended, killed"
    static let operands = ""
    static let options: [Option] = [
        Option("limit", "N", help: "at most N events, 1 to 1000 (default 20)"),
        Option("cursor", "CURSOR", help: "go on where the page before ended"),
        .data, .json,
    ]

    private let limit: Int
    private let cursor: String?
    private let data: String
    private let json: Bool

    init(_ options: ParsedOptions) throws {
        try options.refuseOperands()
        limit = try options.number("limit", in: 1...1000) ?? 20
        cursor = options.text("cursor")
        if let cursor, !cursor.utf8.allSatisfy({ $0.isPlainLetterOrDigit || "-_.".utf8.contains($0) }) {
            throw UsageError("--cursor takes what the page before has given.")
        }
        data = try DataDirectory.path(options)
        json = options.has("json")
    }

    func run() async throws -> ExitCode {
        let query = "?limit=\(limit)" + (cursor.map { "&cursor=\($0)" } ?? "")
        let bytes: [UInt8]
        do {
            bytes = try await Answers(data: data).get("/api/ports/events\(query)")
        } catch let problem as ServerProblem where problem.code == "invalid_cursor" {
            throw UsageError(problem.description)
        }
        if json {
            Console.json(bytes)
            return .done
        }
        let page = try Wire.read(Page.self, from: bytes)
        guard !page.events.isEmpty else {
            Console.line("Nothing has happened yet.")
            return .done
        }
        Table(titles: ["TIME (UTC)", "WHAT", "BY", "OPERATION", "DETAILS"], rows: page.events.map(\.row)).print()
        if let cursor = page.nextCursor { Console.line("More: --cursor \(cursor)") }
        return .done
    }

    private struct Page: Decodable {
        let events: [Event]
        let nextCursor: String?
    }

    private struct Event: Decodable {
        let timestamp: String
        let eventType: String
        let details: String?
        let actor: String
        let operationId: String?

        var row: [String] {
            let time = String(timestamp.prefix(19)).replacing("T", with: " ")
            return [time, eventType, actor.printable, operationId ?? "", (details ?? "").printable]
        }
    }
}

extension UInt8 {
    fileprivate var isPlainLetterOrDigit: Bool {
        (0x30...0x39).contains(self) || (0x61...0x7A).contains(self | 0x20)
    }
}
