import Foundation
import OperationTracking
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A server started by `wizard start`, on a folder of its own. It doesn't outlive the test.
final class BackgroundServer {
    let data: String
    let url: String
    let pid: Int32
    private let identity: ProcessIdentity?

    private init(data: String, url: String, pid: Int32) {
        self.data = data
        self.url = url
        self.pid = pid
        identity = ProcessIdentity(running: pid)
    }

    deinit {
        // Where a test has ended it in any way, its number may be another's by now.
        if identity?.isRunning == true { kill(pid, SIGTERM) }
    }

    static func start(
        _ arguments: String...,
        data: String,
        environment: [String: String] = [:]
    ) async throws -> BackgroundServer {
        let outcome = try await WizardProcess.run(
            ["start", "--port", "0", "--data", data, "--json"] + arguments,
            environment: environment
        )
        let status = try #require(try outcome.objects.last, "\(outcome.errors)")
        #expect(outcome.code == 0)
        return BackgroundServer(
            data: data,
            url: try #require(status["url"] as? String),
            pid: try #require(status["pid"] as? Int32)
        )
    }

    func stop() async throws {
        #expect(try await WizardProcess.run(["stop", "--data", data]).code == 0)
    }

    /// What the history has of an operation.
    func record(_ id: String) async throws -> [String: Any] {
        try #require(try await WizardProcess.run(["show", id, "--json", "--data", data]).objects.first)
    }
}
