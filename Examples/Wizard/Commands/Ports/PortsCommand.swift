import ServiceControl

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

struct PortsCommand: Command {
    static let name = "ports"
    static let summary = "say who holds the ports of this machine's services, and put conflicts right"
    static let operands = "WHAT"
    static let subcommands = [
        Subcommand("status", help: "how each service is, and which process has its port"),
        Subcommand("check", "[NAME|:PORT]", help: "whether all is right, or one; exit code 1 when it isn't"),
        Subcommand("conflicts", help: "the ports that anyone holds, and what can be done about it"),
        Subcommand("kill", "NAME|:PORT", help: "end what holds a service's port"),
        Subcommand("heal", help: "end what holds a service's port in its place, and start the service; for all"),
        Subcommand("env", help: "the ports as lines for a shell: eval \"$(wizard ports env)\""),
        Subcommand("available", "[PORT]", help: "the next port that nobody uses, from PORT on (default 8000)"),
        Subcommand("reassign", "NAME [PORT]", help: "give a service another port, the next available one by default"),
    ]
    static let options: [Option] = [
        Option("services", "FILE", help: "the services are in FILE (default: services.json in the data folder)"),
        .yes, .data, .json,
    ]

    enum Action {
        case status
        case check(PortTarget?)
        case conflicts
        case kill(PortTarget)
        case heal
        case environment
        case available(from: UInt16)
        case reassign(String, UInt16?)
    }

    let isConfirmed: Bool
    let json: Bool
    private let action: Action
    let data: String
    private let file: String?

    init(_ options: ParsedOptions) throws {
        action = try Action(options.operands)
        file = options.text("services")?.absolutePath
        // The file is made where there is none, which for one with a slip in its name helps nobody.
        if let file, !FileManager.default.fileExists(atPath: file) {
            throw UsageError("--services: there is no file '\(file)'.")
        }
        data = try DataDirectory.path(options)
        isConfirmed = options.has("yes")
        json = options.has("json")
    }

    func run() async throws -> ExitCode {
        let session = try await ServiceSession(data: data, file: file)
        if !(json && action.hasWarnings) {
            for warning in session.services.registry.warnings { Console.error("wizard: \(warning.printable)") }
        }
        do {
            let code = try await perform(with: session.services)
            await session.close()
            return code
        } catch {
            await session.close()
            if let error = error as? ServiceError, error.code == .unknownService { throw UsageError(error.message) }
            throw error
        }
    }

    /// Prints what a program asked for, with what the file of services has that is hardly meant.
    func encode(_ answer: some Encodable, _ services: ServiceController) throws {
        try Console.encode(WithWarnings(answer: answer, warnings: services.registry.warnings))
    }

    private func perform(with services: ServiceController) async throws -> ExitCode {
        switch action {
        case .status: try await status(services)
        case .check(let target): try await check(target, services)
        case .conflicts: try await conflicts(services)
        case .kill(let target): try await kill(target, services)
        case .heal: try await heal(services)
        case .environment: try environment(services)
        case .available(let start): try await available(from: start, services)
        case .reassign(let name, let port): try await reassign(name, port, services)
        }
    }
}

/// An answer with one key more.
private struct WithWarnings<Answer: Encodable>: Encodable {
    let answer: Answer
    let warnings: [String]

    private enum CodingKeys: CodingKey {
        case warnings
    }

    func encode(to encoder: any Encoder) throws {
        try answer.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(warnings, forKey: .warnings)
    }
}

/// A service by its name, or a port by its number.
enum PortTarget {
    case name(String)
    case port(UInt16)

    init(_ text: String) throws {
        guard text.hasPrefix(":") else {
            self = .name(text)
            return
        }
        self = .port(try UInt16(port: text.dropFirst()))
    }
}

extension UInt16 {
    fileprivate init(port text: some StringProtocol) throws {
        guard let port = UInt16(text), port > 0 else {
            throw UsageError("'\(String(text).printable)' is no port: those are 1 to 65535.")
        }
        self = port
    }
}

extension PortsCommand.Action {
    /// Whether its JSON has a field for warnings.
    fileprivate var hasWarnings: Bool {
        switch self {
        case .status, .check, .conflicts, .heal: true
        case .kill, .environment, .available, .reassign: false
        }
    }
}

extension PortsCommand.Action {
    fileprivate init(_ operands: [String]) throws {
        guard let what = operands.first, let known = PortsCommand.subcommands.first(where: { $0.name == what }) else {
            let names = PortsCommand.subcommands.map(\.name).joined(separator: ", ")
            let given = operands.first.map { "'\($0)' is none of them" } ?? "none is given"
            throw UsageError("ports takes one of \(names); \(given).")
        }
        let rest = Array(operands.dropFirst())
        let (least, most) = known.operandCount
        guard (least...most).contains(rest.count) else {
            throw UsageError("ports \(known.name) takes \(known.operands.isEmpty ? "nothing more" : known.operands).")
        }
        switch what {
        case "status": self = .status
        case "check": self = .check(try rest.first.map(PortTarget.init))
        case "conflicts": self = .conflicts
        case "kill": self = .kill(try PortTarget(rest[0]))
        case "heal": self = .heal
        case "env": self = .environment
        case "available": self = .available(from: try rest.first.map { try UInt16(port: $0) } ?? 8000)
        default: self = .reassign(rest[0], try rest.dropFirst().first.map { try UInt16(port: $0) })
        }
    }
}
