import OperationTracking

struct OverloadCommand: Command {
    static let name = "overload"
    static let summary = "say whether the machine has room for more work; exit code 1 when it hasn't"
    static let operands = ""
    static let options: [Option] = [.data, .json]

    private let data: String
    private let json: Bool

    init(_ options: ParsedOptions) throws {
        try options.refuseOperands()
        data = try DataDirectory.path(options)
        json = options.has("json")
    }

    func run() async throws -> ExitCode {
        let path = "\(ServerClient.operations)/check-overload"
        let bytes = try await Answers(data: data).get(path, isOfMachine: true)
        let verdict = try Wire.read(Verdict.self, from: bytes)
        if json {
            Console.json(bytes)
        } else {
            let mark = Console.usesColour ? (verdict.overloaded ? Colour.red : .emerald).paint("●") : "●"
            Console.line("\(mark) \(verdict.message.printable)")
            for (name, value) in verdict.resourceSummary.lines { Console.line("  \(name.padded(to: 12))\(value)") }
        }
        return verdict.overloaded ? .failed : .done
    }

    private struct Verdict: Decodable {
        let overloaded: Bool
        let message: String
        let resourceSummary: Summary
    }

    private struct Summary: Decodable {
        let totalActive: Int
        let aggregateCpuPercent: Double?
        let aggregateMemoryMb: Double?
        let host: Host?

        var lines: [(String, String)] {
            let host = host ?? Host()
            return [
                ("operations", used("\(totalActive) active", aggregateCpuPercent, aggregateMemoryMb)),
                ("processor", host.cpuPercentOfAllCores.map { "\(Format.number($0, decimals: 0)) % of all cores" }),
                ("memory", Self.left(host.memoryAvailableMb, of: host.memoryTotalMb)),
                ("disk", Self.left(host.diskAvailableMb, of: host.diskTotalMb)),
            ].compactMap { name, value in value.map { (name, $0) } }
        }

        private func used(_ text: String, _ cpu: Double?, _ memory: Double?) -> String? {
            guard totalActive > 0, let cpu, let memory else { return text }
            return "\(text), \(Format.number(cpu, decimals: 0)) % of a core, \(Format.bytes(memory * 1_048_576))"
        }

        private static func left(_ megabytes: Double?, of total: Double?) -> String? {
            guard let megabytes, let total else { return nil }
            return "\(Format.bytes(megabytes * 1_048_576)) of \(Format.bytes(total * 1_048_576)) available"
        }
    }

    private struct Host: Decodable {
        var cpuPercentOfAllCores: Double?
        var memoryAvailableMb: Double?
        var memoryTotalMb: Double?
        var diskAvailableMb: Double?
        var diskTotalMb: Double?
    }
}
