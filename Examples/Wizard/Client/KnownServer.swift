import OperationTracking
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

/// A server as its `server.json` tells of it: where it listens, and how it was started. It may have died since.
struct KnownServer: Sendable {
    /// Where it can be asked from this machine.
    let url: String
    let process: ProcessIdentity
    let startedAt: Date?
    /// The Ollama that it pulls into.
    let ollama: String?
    /// The file with its token.
    let tokenFile: String?
    /// What stands behind `wizard serve`, and the folder in which that was said.
    let arguments: [String]
    let directory: String?

    /// What says how a server was started after it has stopped.
    static let lastFile = "server.last.json"

    /// What was recorded last in a data directory; `nil` when there is nothing, or nothing that can be trusted.
    init?(in data: String) {
        let all = Self.files(in: data).lazy.compactMap { path in
            Self.read(path).flatMap { try? Wire.read(Fields.self, from: $0) }
        }
        guard let fields = all.first, fields.pid > 1, let startTime = fields.processStartTime else { return nil }
        url = Self.reachable(fields.url)
        process = ProcessIdentity(pid: fields.pid, startTime: startTime)
        startedAt = fields.startedAt.flatMap {
            try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse($0)
        }
        ollama = fields.ollama
        tokenFile = fields.tokenFile
        arguments = fields.arguments ?? []
        directory = fields.directory
    }

    /// What tells of a server in a data directory, although it may be damaged or another's; `nil` when nothing does.
    static func record(in data: String) -> String? {
        var status = stat()
        return files(in: data).first { lstat($0, &status) == 0 }
    }

    private static func files(in data: String) -> [String] { ["server.json", lastFile].map { data + "/" + $0 } }

    /// One of which no more is known than where it listens.
    init(url: String, process: ProcessIdentity) {
        self.url = Self.reachable(url)
        self.process = process
        (startedAt, ollama, tokenFile, arguments, directory) = (nil, nil, nil, [], nil)
    }

    /// The server of a data directory whose process is there.
    static func running(in data: String) -> KnownServer? {
        KnownServer(in: data).flatMap { $0.isRunning ? $0 : nil }
    }

    /// Whether the very process is there. One that has ended and that its parent hasn't looked after, as in a container without
    /// an init, is still listed, but has no command line.
    var isRunning: Bool {
        process.isRunning && ProcessDetails(pid: process.pid)?.command.isEmpty == false
    }

    /// Whether this program is of work that it does, and ends with it.
    ///
    /// - Parameter services: its services', which go on without it.
    func hasStartedThis(besides services: ServiceFolder) -> Bool {
        // What a shell leaves to itself has another parent by then, and is of the work's session still.
        [getpid(), getsid(0)].contains { descends($0, besides: services) }
    }

    private func descends(_ pid: Int32, besides services: ServiceFolder) -> Bool {
        var next = pid
        // Parents can't run in a circle, but a look takes time and numbers are given again.
        for _ in 0..<64 where next > 1 {
            guard let this = ProcessDetails(pid: next) else { return false }
            if this.identity == process { return true }
            if services.has(this.identity) { return false }
            next = this.parent
        }
        return false
    }

    /// The port it listens on.
    var port: UInt16? { url.split(separator: ":").last.flatMap { UInt16($0) } }

    private struct Fields: Decodable {
        let url: String
        let pid: Int32
        let processStartTime: UInt64?
        let startedAt: String?
        let ollama: String?
        let tokenFile: String?
        let arguments: [String]?
        let directory: String?
    }

    /// A server that listens on all addresses is asked on the loopback.
    private static func reachable(_ url: String) -> String {
        url.replacing("//0.0.0.0:", with: "//127.0.0.1:").replacing("//[::]:", with: "//[::1]:")
    }

    /// Only what this user has written: whoever could write there could have work and tokens sent anywhere.
    private static func read(_ path: String) -> [UInt8]? {
        guard let descriptor = try? RegularFile.open(path, O_RDONLY) else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
            return nil
        }
        return try? FileBytes.read(descriptor, limit: 65_536)
    }
}
