/// A service that is to run on this machine, as the registry has it. A text has at most 16,384 bytes, a command with all its words.
public struct ServiceDefinition: Sendable, Hashable {
    /// Its name: 1 to 64 letters, digits, `.`, `_` or `-`, the first a letter or a digit.
    public var name: String
    /// The TCP port it listens on; `nil` for a service without one.
    public var port: UInt16?
    /// What it is for.
    public var environment: ServiceEnvironment
    /// The name of the process that is to hold the port; `nil` where any will do.
    public var processName: String?
    /// What it is, for people.
    public var description: String
    /// How it is started; `nil` when it can't be from here. It is kept in the audit log and shown to people, as what it prints may
    /// be, so no secret belongs in it: have it read that from its environment or a file.
    public var startupCommand: ServiceCommand?
    /// How it is asked to end; `nil` for a signal.
    public var shutdownCommand: ServiceCommand?
    /// Where it says how it is: a URL, or a path on its port, which is asked where it listens.
    public var healthEndpoint: String?
    /// Whether it is started with all others, and looked at when conflicts are sought.
    public var isEnabled: Bool
    /// Who registered it while the program ran, such as `http`; `nil` when a person put it into the file, which alone gives
    /// the right to end what holds its port.
    public var registeredBy: String?

    /// Makes a definition; nothing is checked before it is registered.
    public init(
        name: String,
        port: UInt16? = nil,
        environment: ServiceEnvironment = .development,
        processName: String? = nil,
        description: String = "",
        startupCommand: ServiceCommand? = nil,
        shutdownCommand: ServiceCommand? = nil,
        healthEndpoint: String? = nil,
        isEnabled: Bool = true,
        registeredBy: String? = nil
    ) {
        self.name = name
        self.port = port
        self.environment = environment
        self.processName = processName
        self.description = description
        self.startupCommand = startupCommand
        self.shutdownCommand = shutdownCommand
        self.healthEndpoint = healthEndpoint
        self.isEnabled = isEnabled
        self.registeredBy = registeredBy
    }
}

/// What a service is for.
public enum ServiceEnvironment: String, Sendable, Hashable, Codable, CaseIterable {
    /// What others rely on.
    case production
    /// What is being worked on.
    case development
    /// What may break at any time.
    case experimental
}

/// How a service is started or asked to end.
public enum ServiceCommand: Sendable, Hashable {
    /// A line for `/bin/sh -c`; a text in the file.
    case shell(String)
    /// A program and its arguments, which no shell reads; a list of texts in the file.
    case program([String])

    /// The words that are started.
    var words: [String] {
        switch self {
        // `exec` would break lines of several commands; shells do it by themselves for the last one.
        case .shell(let line): ["/bin/sh", "-c", line]
        case .program(let words): words
        }
    }
}

extension ServiceCommand: CustomStringConvertible {
    /// As one would type it.
    public var description: String {
        switch self {
        case .shell(let line): line
        case .program(let words): words.map(\.shellQuoted).joined(separator: " ")
        }
    }
}

extension ServiceDefinition {
    /// The services that the system had which this library rebuilds, `wizard` being the program of this project.
    public static let defaults: [ServiceDefinition] = [
        ServiceDefinition(
            name: "wizard",
            port: 8765,
            environment: .production,
            processName: "wizard",
            description: "The wizard server: operations, ports and services",
            startupCommand: .program(["wizard", "serve"]),
            healthEndpoint: "/health"
        ),
        ServiceDefinition(
            name: "api",
            port: 5001,
            processName: "python",
            description: "The API server",
            healthEndpoint: "/health",
            isEnabled: false
        ),
        ServiceDefinition(
            name: "vite",
            port: 5173,
            processName: "node",
            description: "The development server of the dashboard"
        ),
        ServiceDefinition(name: "tauri", processName: "tauri", description: "The desktop application"),
    ]
}

extension String {
    /// As a word that a POSIX shell reads as this text.
    var shellQuoted: String {
        let isPlain = utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || "-_./:=,+@%".utf8.contains(byte)
        }
        return isPlain && !isEmpty ? self : "'" + replacing("'", with: "'\\''") + "'"
    }
}
