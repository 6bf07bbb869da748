import OperationTracking

struct StatsCommand: Command {
    static let name = "stats"
    static let summary = "tell by type how many were completed, how long they took, how fast they were"
    static let operands = "[TYPE …]"
    static let options: [Option] = [.data, .json]

    private let types: [OperationType]
    private let data: String
    private let json: Bool

    init(_ options: ParsedOptions) throws {
        types = try options.operands.map(OperationType.init(given:))
        data = try DataDirectory.path(options)
        json = options.has("json")
    }

    func run() async throws -> ExitCode {
        let query = types.isEmpty ? "" : "?type=" + types.map(\.rawValue).joined(separator: ",")
        let bytes = try await Answers(data: data).get("\(ServerClient.operations)/history/statistics\(query)")
        if json {
            Console.json(bytes)
            return .done
        }
        let figures = try Wire.read(Statistics.self, from: bytes).statistics
        guard !figures.isEmpty else {
            Console.line("Nothing has ended yet.")
            return .done
        }
        let titles = ["TYPE", "ENDED", "COMPLETED", "FAILED", "CANCELLED", "SUCCESS", "P50", "P90", "P99", "RATE"]
        Table(titles: titles, rows: figures.map(\.row)).print()
        return .done
    }

    private struct Statistics: Decodable {
        let statistics: [Figures]
    }

    private struct Figures: Decodable {
        let operationType: String
        let count, completed, failed, cancelled: Int
        let successShare, p50Seconds, p90Seconds, p99Seconds, meanBytesPerSecond: Double?

        var row: [String] {
            let share = successShare.map { Format.number($0 * 100, decimals: 1) + " %" } ?? ""
            let times = [p50Seconds, p90Seconds, p99Seconds].map { $0.map(Format.duration) ?? "" }
            let rate = meanBytesPerSecond.map { Format.bytes($0) + "/s" } ?? ""
            return [operationType, "\(count)", "\(completed)", "\(failed)", "\(cancelled)", share] + times + [rate]
        }
    }
}
