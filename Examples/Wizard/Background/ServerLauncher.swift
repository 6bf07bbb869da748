import OperationTracking
import ProcessOperations
import ServiceControl

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Starts `wizard serve` in the background: in a session of its own, with its output in a log.
struct ServerLauncher: Sendable {
    let data: String
    /// What stands behind `serve`.
    let arguments: [String]
    /// The folder in which relative paths among them are; `nil` for this one.
    var directory: String?

    /// How long a server has until it answers.
    static let limit: Duration = .seconds(60)
    /// How long one that is to end after all has for it.
    private static let grace: Duration = .seconds(5)
    private static let interval: Duration = .milliseconds(100)

    /// Returns when the server answers. To be called under the ``StartLock``.
    ///
    /// - Throws: ``ServerProblem`` with its last lines when it has ended or doesn't answer in time, in which case it is ended;
    ///   `CancellationError`, after the same.
    func launch() async throws {
        let log = ServerLog.file(in: data)
        let (output, start) = try log.open()
        defer { close(output) }
        let process: SpawnedProcess
        do throws(OperationFailure) {
            process = try SpawnedProcess(launch(log.path), output: output)
        } catch {
            throw ServerProblem(error.message)
        }
        do {
            try await waitForAnswer(of: process, log, from: start)
        } catch {
            process.signalAll(SIGTERM)
            await Self.end(process)
            throw error is CancellationError ? error : ServerProblem("\(error)\(Self.said(log, from: start, output))")
        }
    }

    private func launch(_ log: String) -> Launch {
        Launch(
            program: Self.program,
            arguments: ["serve"] + arguments + ["--data", data.absolutePath, "--log", log],
            directory: directory,
            environment: ProcessInfo.processInfo.environment
        )
    }

    /// Asks where the server itself says that it listens: the directory may have come to know another one.
    private func waitForAnswer(
        of process: borrowing SpawnedProcess,
        _ log: ServiceLog,
        from start: Int
    ) async throws {
        let clock = SystemTrackingClock()
        let deadline = clock.monotonicNanoseconds + Self.limit.nanoseconds
        while clock.monotonicNanoseconds < deadline {
            if process.leader == .ended || process.leader == .gone { throw ServerProblem("The server ended at once.") }
            let ready = log.lastLines(1000, from: start).last { $0.hasPrefix(ServeCommand.readiness) }
            if let url = ready?.dropFirst(ServeCommand.readiness.count),
                let identity = ProcessIdentity(running: process.pid),
                await ServerClient(KnownServer(url: String(url), process: identity)).health() != nil
            {
                return
            }
            try await Task.sleep(for: Self.interval)
        }
        throw ServerProblem("The server didn't answer within \(Int(Self.limit.seconds)) s, and was ended.")
    }

    /// Not in the task that started it, which may be cancelled.
    private static func end(_ process: borrowing SpawnedProcess) async {
        let pid = process.pid
        let hasEnded = await Task { () -> Bool in
            for _ in 0..<Int(grace.seconds * 10) {
                if Self.hasEnded(pid) { return true }
                try? await Task.sleep(for: interval)
            }
            return false
        }.value
        if !hasEnded { process.signalAll(SIGKILL) }
    }

    /// Whether a child has ended; it stays to be reaped, so that its number stays its own.
    private static func hasEnded(_ pid: Int32) -> Bool {
        var info = siginfo_t()
        return waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_signo == SIGCHLD
    }

    /// - Parameter output: the log, as the server has it.
    static func said(_ log: ServiceLog, from start: Int, _ output: Int32) -> String {
        let lines = log.lastLines(10, from: start)
        guard !lines.isEmpty else {
            // As on a full disk, which is then what it could not say.
            guard write(output, "\n", 1) < 0 else { return " It printed nothing." }
            return
                " It could print nothing, since \(log.path) can't be written: \(String(cString: strerror(errno))). Check the room on the disk."
        }
        return " Its last lines:\n" + lines.map { "  " + $0 }.joined(separator: "\n") + "\nAll of them: \(log.path)"
    }

    /// This program's own file.
    static var program: String {
        #if os(Linux)
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
            guard let start = buffer.baseAddress, case let count = readlink("/proc/self/exe", start, buffer.count),
                count > 0
            else { return CommandLine.arguments[0] }
            return String(
                decoding: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]),
                as: UTF8.self
            )
        }
        #else
        // Not run here.
        var size = UInt32(4096)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(size)) { buffer in
            guard let start = buffer.baseAddress, _NSGetExecutablePath(start, &size) == 0 else {
                return CommandLine.arguments[0]
            }
            return String(cString: start)
        }
        #endif
    }
}
