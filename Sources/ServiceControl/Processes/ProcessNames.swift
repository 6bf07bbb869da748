extension ProcessDetails {
    /// Whether it is the process that a service expects to hold its port.
    ///
    /// Names compare without regard to case, and with the leniency that development servers need, which are started by one
    /// program and run by another: `python` is also `python3.11`, the runners of Node stand for each other, and a Tauri
    /// application may be served by `cargo` or `node`.
    ///
    /// - Parameter expected: the name; `nil` where any process will do.
    public func isNamed(_ expected: String?) -> Bool {
        guard let expected else { return true }
        let accepted = Self.accepted(for: Self.canonical(expected))
        return names.contains { accepted.contains(Self.canonical($0)) }
    }

    /// What it may go by: its name, its program's file, and the script that it runs.
    private var names: [String] {
        var names = [name] + [command.first, executable].compactMap { $0?.lastPathComponent }
        if let script = command.dropFirst().first(where: { !$0.hasPrefix("-") }) {
            names.append(script.lastPathComponent)
        }
        return names
    }

    private static func accepted(for expected: String) -> Set<String> {
        if nodeRunners.contains(expected) { return nodeRunners }
        if expected == "tauri" { return ["tauri", "cargo", "node"] }
        return [expected]
    }

    private static let nodeRunners: Set<String> = ["node", "npm", "npx", "pnpm", "yarn"]

    private static func canonical(_ name: String) -> String {
        let name = name.lowercased()
        if name == "nodejs" { return "node" }
        // python, python3, python3.11
        guard name.hasPrefix("python"), name.dropFirst(6).utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E })
        else {
            return name
        }
        return "python"
    }
}
