import OperationTracking

extension ServiceDefinition {
    /// What is wrong with it, in a sentence each; empty when it can be registered.
    public var problems: [String] {
        var problems: [String] = []
        if !Self.isName(name) {
            problems.append(
                "\"\(name.shown)\" is no name for a service: use 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or a digit."
            )
        }
        if port == 0 { problems.append("\(name.shown): a port is 1 to 65535.") }
        if let processName, processName.isEmpty || processName.utf8.contains(where: { $0 < 0x20 }) {
            problems.append("\(name.shown): process_name is the name of a program, or null where any will do.")
        }
        for (key, command) in [("startup_cmd", startupCommand), ("shutdown_cmd", shutdownCommand)] {
            guard let command, !command.isRunnable else { continue }
            problems.append(
                "\(name.shown): \(key) is a line for the shell or a list with a program and its arguments, without NUL; neither the line nor the program is empty."
            )
        }
        for (key, count) in textLengths where count > Self.textLimit {
            problems.append("\(name.shown): \(key) has \(count) bytes: at most \(Self.textLimit) are kept.")
        }
        if let healthEndpoint, healthURL() == nil {
            problems.append(
                "\(name.shown): health_endpoint \"\(healthEndpoint.shown)\" is neither an http URL nor a path that begins with '/' of a service with a port."
            )
        }
        return problems
    }

    /// Where its health is asked for; `nil` when nothing is, or nothing can be, asked.
    ///
    /// - Parameter use: who listens on its port: a path is asked for there, or on 127.0.0.1 where nobody does.
    func healthURL(of use: PortUse? = nil) -> String? {
        guard let healthEndpoint, healthEndpoint.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return nil }
        if healthEndpoint.hasPrefix("http://") || healthEndpoint.hasPrefix("https://") { return healthEndpoint }
        guard healthEndpoint.hasPrefix("/"), let port else { return nil }
        return "http://\(use?.localHost ?? "127.0.0.1"):\(port)\(healthEndpoint)"
    }

    /// Whether its health is asked for on this machine alone.
    var isHealthLocal: Bool {
        guard let healthEndpoint, !healthEndpoint.hasPrefix("/") else { return true }
        guard let start = healthEndpoint.firstRange(of: "://")?.upperBound else { return false }
        let host = healthEndpoint[start...].prefix { !"/?#".contains($0) }
        let ends = ["127.0.0.1", "localhost", "[::1]"]
        return ends.contains {
            host == $0 || host.hasPrefix($0 + ":") && host.dropFirst($0.count + 1).allSatisfy(\.isNumber)
        }
    }

    /// The most bytes of UTF-8 that one of its texts may have, so that none fills the file by itself.
    static let textLimit = 16384

    private var textLengths: [(key: String, count: Int)] {
        let commands = [("startup_cmd", startupCommand), ("shutdown_cmd", shutdownCommand)].map { key, command in
            (key, command?.words.reduce(0) { $0 + $1.utf8.count } ?? 0)
        }
        let texts = [
            ("process_name", processName), ("description", description), ("health_endpoint", healthEndpoint),
            ("registered_by", registeredBy),
        ]
        return texts.map { ($0, $1?.utf8.count ?? 0) } + commands
    }

    private static func isName(_ name: String) -> Bool {
        let text = name.utf8
        guard let first = text.first, text.count <= 64, isLetterOrDigit(first) else { return false }
        return text.allSatisfy { isLetterOrDigit($0) || "._-".utf8.contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
    }
}

extension ServiceCommand {
    /// Whether there is something to run. An argument may be empty, a program may not.
    fileprivate var isRunnable: Bool {
        let first =
            switch self {
            case .shell(let line): line
            case .program(let words): words.first ?? ""
            }
        return !first.isEmpty && words.allSatisfy { !$0.utf8.contains(0) }
    }
}

extension String {
    /// With a full stop at its end, and no second one where a sentence of another's ends it.
    var sentence: String { hasSuffix(".") ? self : self + "." }

    /// At most 80 characters, none of which moves text about.
    var shown: String {
        let text = prefix(80).unicodeScalars.map { $0.movesText ? "\u{FFFD}" : $0 }
        return String(String.UnicodeScalarView(text)) + (count > 80 ? "…" : "")
    }
}
