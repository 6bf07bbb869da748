import CProcess
import Foundation
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
    ///   - data: the data directory that is to know it.
    ///   - ends: whether its process ends when it is to cancel.
    init(data: TemporaryFolder, ends: Bool) throws {
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
        try data.recordServer(at: "http://127.0.0.1:\(server.port)", process.pid)
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
}

extension TestConnection {
    func answer(_ status: Int, _ json: String) throws {
        try write(
            "HTTP/1.1 \(status) OK\r\nContent-Type: application/json\r\nContent-Length: \(json.utf8.count)\r\n\r\n\(json)"
        )
    }
}
