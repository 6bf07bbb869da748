import CProcess
import Foundation
import OperationTracking
import Synchronization
import TestSockets

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A server that takes work, and closes the connection when it is to cancel it, without an answer; whose process may end first.
final class SilentCanceller: Sendable {
    private let process: WizardProcess
    private let server: TestServer
    private let works: Works

    private final class Works: Sendable {
        let isThere = Atomic(false)
    }

    /// Whether it has been given work, which it calls `op_silent`.
    var hasWork: Bool { works.isThere.load(ordering: .relaxed) }

    /// - Parameters:
    ///   - data: the data directory that is to know it, which is made.
    ///   - ends: whether its process ends when it is to cancel.
    init(data: String, ends: Bool) throws {
        let process = try WizardProcess([], launcher: ["/bin/sh", "-c", "exec sleep 1000"])
        let works = Works()
        (self.process, self.works) = (process, works)
        server = try TestServer { connection in
            while true {
                let line = try connection.readRequest().line
                if line.hasPrefix("GET /health") {
                    try connection.answer(200, #"{"status": "ok", "reason": null, "active_operations": 1}"#)
                } else if line.contains("/stream") {
                    try connection.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: there\n\n")
                    _ = connection.waitForPeerClose()
                } else if line.contains("/run") {
                    try connection.answer(202, #"{"operation_id": "op_silent", "joined": false, "warning": null}"#)
                    works.isThere.store(true, ordering: .relaxed)
                } else {
                    if ends { Self.end(process.pid) }
                    return
                }
            }
        }
        let start = try Self.startTime(of: process.pid)
        let record = """
            {"url": "http://127.0.0.1:\(server.port)", "pid": \(process.pid), "process_start_time": \(start)}
            """
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        let isMade = FileManager.default.createFile(
            atPath: data + "/server.json",
            contents: Data(record.utf8),
            attributes: [.posixPermissions: 0o600]
        )
        guard isMade else { throw POSIXError(.EIO) }
    }

    deinit {
        Self.end(process.pid)
    }

    /// Returns when it has ended; it stays to be reaped, so that its number stays its own.
    private static func end(_ pid: Int32) {
        kill(pid, SIGKILL)
        var info = siginfo_t()
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    }

    private static func startTime(of pid: Int32) throws -> UInt64 {
        guard let identity = ProcessIdentity(running: pid) else { throw POSIXError(.ESRCH) }
        return identity.startTime
    }
}

extension TestConnection {
    func answer(_ status: Int, _ json: String) throws {
        try write(
            "HTTP/1.1 \(status) OK\r\nContent-Type: application/json\r\nContent-Length: \(json.utf8.count)\r\n\r\n\(json)"
        )
    }
}
