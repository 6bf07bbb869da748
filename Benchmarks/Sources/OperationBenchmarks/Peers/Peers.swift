import Foundation

/// What programs in Python cost that do the same, measured by `Benchmarks/Peers` in the same run.
struct Peers {
    private var values: [String: Double] = [:]

    /// In nanoseconds; `nil` when the peer isn't on this machine.
    subscript(name: String) -> Double? { values[name] }

    /// Measures a group of peers. Without them the comparisons are left out, loudly.
    ///
    /// - Parameters:
    ///   - group: a script's name in `Benchmarks/Peers`, without `.py`.
    ///   - arguments: what it is told.
    static func measure(_ group: String, _ arguments: [String] = []) -> Peers {
        var peers = Peers()
        guard FileManager.default.isExecutableFile(atPath: python) else {
            complain("the peers are not here. Benchmarks/Peers/install gets them.")
            return peers
        }
        do {
            let output = try run(python, ["\(directory)/\(group).py"] + arguments)
            peers.values = try JSONDecoder().decode([String: Double].self, from: output)
        } catch {
            complain("\(group).py failed: \(error)")
        }
        return peers
    }

    static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../Peers")
        .standardized.path
    static let python = "\(directory)/.venv/bin/python"

    static func complain(_ message: String) {
        FileHandle.standardError.write(Data("LEFT OUT: comparisons with other programs: \(message)\n".utf8))
    }
}

/// Runs a program to its end.
///
/// - Returns: what it printed.
/// - Throws: ``ProgramFailure`` when it says that it failed.
func run(_ program: String, _ arguments: [String]) throws -> Data {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw ProgramFailure(status: process.terminationStatus) }
    return output
}

struct ProgramFailure: Error {
    let status: Int32
}
