import Foundation

/// What programs in Python cost that do the same, measured by `Benchmarks/Peers` in the same run.
struct Peers {
    private var values: [String: Double] = [:]

    /// In nanoseconds; `nil` when the peer isn't on this machine.
    subscript(name: String) -> Double? { values[name] }

    /// Measures a group of peers. Where there are none the comparisons are left out, loudly.
    ///
    /// - Parameters:
    ///   - group: a script's name in `Benchmarks/Peers`, without `.py`.
    ///   - arguments: what it is told.
    /// - Throws: when there are peers, but they fail.
    static func measure(_ group: String, _ arguments: [String] = []) throws -> Peers {
        var peers = Peers()
        guard areHere else { return peers }
        let output = try run(python, ["\(directory)/\(group).py"] + arguments)
        peers.values = try JSONDecoder().decode([String: Double].self, from: output)
        return peers
    }

    static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../Peers")
        .standardized.path
    static let python = "\(directory)/.venv/bin/python"

    /// Whether they can be run. If not, that is said.
    static var areHere: Bool {
        if FileManager.default.isExecutableFile(atPath: python) { return true }
        leaveOut("comparisons with other programs: they are not here. Benchmarks/Peers/install gets them.")
        return false
    }
}
