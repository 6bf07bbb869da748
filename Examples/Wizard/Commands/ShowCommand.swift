#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationHistorySQLite
import OperationTracking

struct ShowCommand: Command {
    static let name = "show"
    static let summary = "tell everything about one operation"
    static let operands = "ID"
    static let options: [Option] = [.data, .json]

    private let id: OperationID
    private let data: String
    private let json: Bool

    init(_ options: ParsedOptions) throws {
        id = try options.operationID()
        data = try DataDirectory.path(options)
        json = options.has("json")
    }

    func run() async throws -> ExitCode {
        guard var record = try await History.reading(data, { try await $0.record(id) })?.read(at: Date()) else {
            throw ServerProblem("no operation has the id \(id). `wizard history` lists them.", "not_found")
        }
        // A server knows more of what it does itself than it has written down by now.
        let live = record.operation.status.isTerminal ? nil : await live()
        if json {
            Console.json(live ?? record.jsonBytes())
        } else {
            if let live, let operation = try? Wire.read(WireOperation.self, from: live).operation {
                record.operation = operation
            }
            for (name, value) in Self.lines(record) { Console.line(name.padded(to: 12) + value.printable) }
        }
        return .done
    }

    private func live() async -> [UInt8]? {
        guard let client = await ServerClient.find(in: data) else { return nil }
        return try? await client.operation(id)
    }

    static func lines(_ record: OperationRecord) -> [(String, String)] {
        let operation = record.operation
        let progress = operation.progress
        var lines = [
            ("id", operation.id.rawValue),
            ("type", operation.type.rawValue),
            ("description", operation.description),
            ("status", operation.status.rawValue),
        ]
        func add(_ name: String, _ value: String?) {
            if let value { lines.append((name, value)) }
        }
        add("error", operation.failure.map { "\($0.code): \($0.message)" })
        add("phase", operation.phase)
        add("message", operation.message)
        add("progress", "\(Format.number(progress.percent, decimals: 2)) %")
        add("done", amount(progress))
        add("rewound", progress.rewoundUnits > 0 ? Format.amount(progress.rewoundUnits, progress.unit) : nil)
        add("attempt", operation.attempt > 1 ? "\(operation.attempt)" : nil)
        add("created", Format.moment(operation.createdAt) + " UTC")
        add("started", operation.startedAt.map { Format.moment($0) + " UTC" })
        add("finished", operation.finishedAt.map { Format.moment($0) + " UTC" })
        add("time", Format.time(of: operation))
        if operation.status == .inProgress {
            add("time left", operation.remaining.map { Format.remaining($0).replacing(" left", with: "") })
        }
        add("started by", record.startedBy)
        add("parent", operation.parentID?.rawValue)
        add("request", record.shownRequest)
        add("result", record.result.map { String(decoding: $0, as: UTF8.self) })
        return lines
    }

    private static func amount(_ progress: OperationProgress) -> String? {
        // Of a fraction the percentage has said it, and 100 % is for what is completed.
        guard progress.unit != .fraction, progress.completedUnits > 0 || progress.totalUnits != nil else { return nil }
        let done = Format.amount(progress.completedUnits, progress.unit)
        return progress.totalUnits.map { "\(done) of \(Format.amount($0, progress.unit))" } ?? done
    }
}
