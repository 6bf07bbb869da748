import Foundation
import OperationTracking
import ProcessOperations
import Testing

/// Runs commands as operations, and waits for what they say and how they end.
struct Runs {
    let tracker = OperationTracker()
    var provider = ProcessProvider()

    func start(
        _ command: [String],
        progress: ProgressRule = .none,
        directory: String? = nil,
        environment: [String: String] = [:]
    ) async throws -> SubmittedOperation<ProcessProvider.Output> {
        let request = ProcessProvider.Request(
            command: command,
            directory: directory,
            environment: environment,
            progress: progress
        )
        return try await OperationRunner(tracker: tracker).submit(request, to: provider)
    }

    /// Runs a script of the shell.
    func start(_ script: String, progress: ProgressRule = .none) async throws -> SubmittedOperation<
        ProcessProvider.Output
    > {
        try await start(["sh", "-c", script], progress: progress)
    }

    /// How a command fails.
    func failure(of command: [String], directory: String? = nil) async throws -> OperationFailure {
        let running = try await start(command, directory: directory)
        return try #require(await #expect(throws: OperationFailure.self) { try await running.output })
    }

    /// The operation as soon as it is as wanted. It asks again and again: some of what is wanted is no event.
    func operation(
        _ id: OperationID,
        when isAsWanted: (BackgroundOperation) -> Bool
    ) async throws -> BackgroundOperation {
        while true {
            let operation = try #require(tracker.operation(id))
            if isAsWanted(operation) { return operation }
            try #require(operation.status.isActive, "it ended before it was as wanted: \(operation)")
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Waits until a command has printed the line.
    @discardableResult
    func operation(_ id: OperationID, says line: String) async throws -> BackgroundOperation {
        try await operation(id) { $0.message == line }
    }
}

/// The process of the tests.
enum OwnProcess {
    /// This process's memory in bytes.
    static func residentBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return try #require(Int(text.split(separator: " ")[1])) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    static func openDescriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count { name in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + name)
            // The sampler keeps the files that it measures by until it measures the next time.
            return target.map { !$0.hasPrefix("/proc/") } ?? false
        }
    }
}
