import Foundation
import Testing

/// The program itself, run as a user would, on a history of its own.
final class WizardProcess {
    struct Outcome {
        let code: Int32
        let wasKilled: Bool
        let output: String
        let errors: String

        /// The objects of an output that has one a line.
        var objects: [[String: Any]] {
            get throws {
                try output.split(separator: "\n").map { line in
                    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                }
            }
        }
    }

    private let process = Process()
    private let output = Pipe()
    private let errors = Pipe()

    /// - Parameter launcher: a program that starts this one, such as `timeout`, with its own arguments.
    init(_ arguments: [String], environment: [String: String] = [:], launcher: [String] = []) throws {
        let command = launcher + [Self.program.path] + arguments
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.environment = ["HOME": "/nonexistent", "PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        // A child has the signal mask of the thread that starts it, and those of the pool block signals.
        var (none, before) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try process.run()
    }

    /// Runs the program to its end.
    static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
        try WizardProcess(arguments, environment: environment).outcome()
    }

    /// The first line of the output that `matches`, as soon as it is there; `nil` when the output ends before.
    func firstLine(where matches: (String) -> Bool) -> String? {
        Self.firstLine(of: output, where: matches)
    }

    /// The same for what it complains about.
    func firstErrorLine(where matches: (String) -> Bool) -> String? {
        Self.firstLine(of: errors, where: matches)
    }

    private static func firstLine(of pipe: Pipe, where matches: (String) -> Bool) -> String? {
        var buffer = Data()
        while true {
            let chunk = pipe.fileHandleForReading.availableData
            if chunk.isEmpty { return nil }
            buffer += chunk
            while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffer[buffer.startIndex..<end], as: UTF8.self)
                buffer = Data(buffer[(end + 1)...])
                if matches(line) { return line }
            }
        }
    }

    var pid: Int32 { process.processIdentifier }

    func send(_ signal: Int32) {
        kill(pid, signal)
    }

    func outcome() -> Outcome {
        let said = output.fileHandleForReading.readDataToEndOfFile()
        let complained = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            code: process.terminationStatus,
            wasKilled: process.terminationReason == .uncaughtSignal,
            output: String(decoding: said, as: UTF8.self),
            errors: String(decoding: complained, as: UTF8.self)
        )
    }

    /// The program is built into the folder of the tests' own binary.
    private static var program: URL {
        let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        var folder = tests.deletingLastPathComponent()
        while folder.path != "/" {
            let candidate = folder.appendingPathComponent("wizard")
            if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
            folder.deleteLastPathComponent()
        }
        return tests.deletingLastPathComponent().appendingPathComponent("wizard")
    }
}

/// A folder that is gone after the test.
final class TemporaryFolder {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "/wizard-tests-" + UUID().uuidString
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
