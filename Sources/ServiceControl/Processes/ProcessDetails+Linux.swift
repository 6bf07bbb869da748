#if os(Linux)
import OperationTracking

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

extension ProcessDetails {
    init?(running pid: Int32) {
        guard pid > 0, let stat = ProcFile.contents(of: "/proc/\(pid)/stat"), let status = ProcessStat(stat),
            let text = ProcFile.contents(of: "/proc/\(pid)/status"), let users = Self.users(text)
        else { return nil }
        let command = ProcFile.contents(of: "/proc/\(pid)/cmdline").map(Self.words) ?? []
        // A program that was replaced while it runs, as by an update.
        let executable = Self.target(of: "/proc/\(pid)/exe")?.withoutSuffix(" (deleted)")
        self.init(
            identity: ProcessIdentity(pid: pid, startTime: status.startTime),
            parent: status.parent,
            name: Self.name(kept: status.name, command: command, executable: executable),
            command: command,
            executable: executable,
            workingDirectory: Self.target(of: "/proc/\(pid)/cwd"),
            userID: users.effective,
            realUserID: users.real
        )
        supervisor = ProcessSupervisor(of: self, status: text)
    }

    /// The line `Uid:` of `/proc/PID/status` (proc_pid_status(5)): real, effective, saved and file system user.
    static func users(_ status: [UInt8]) -> (real: UInt32, effective: UInt32)? {
        guard let ids = numbers(of: "Uid:", in: status), ids.count >= 2 else { return nil }
        return (ids[0], ids[1])
    }

    /// The numbers of a line of `/proc/PID/status`; `nil` where there is no such line.
    static func numbers(of name: String, in status: [UInt8]) -> [UInt32]? {
        let line = status.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: name.utf8) }
        return line?.dropFirst(name.utf8.count).split { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }
            .compactMap { UInt32(String(decoding: $0, as: UTF8.self)) }
    }

    /// Words that each end with a NUL (proc_pid_cmdline(5)). A process that has written over them may have left anything.
    static func words(_ text: [UInt8]) -> [String] {
        let text = text.last == 0 ? text.dropLast() : text[...]
        if text.isEmpty { return [] }
        return text.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    static func target(of link: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = readlink(link, start, buffer.count)
            guard count > 0, count < buffer.count else { return nil }
            return String(decoding: UnsafeRawBufferPointer(buffer)[..<count], as: UTF8.self)
        }
    }
}

extension String {
    fileprivate func withoutSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}

/// What is needed of `/proc/PID/stat` (proc_pid_stat(5)).
struct ProcessStat: Hashable {
    var name: String
    var state: UInt8
    var parent: Int32
    var startTime: UInt64

    /// Whether the process has ended and waits to be reaped.
    var hasEnded: Bool { state == UInt8(ascii: "Z") || state == UInt8(ascii: "X") }

    init?(_ text: [UInt8]) {
        // The name in brackets may have brackets, blanks and line ends itself; nothing after it can.
        guard let open = text.firstIndex(of: UInt8(ascii: "(")), let close = text.lastIndex(of: UInt8(ascii: ")")),
            open < close
        else { return nil }
        let fields = text[(close + 1)...].split(separator: UInt8(ascii: " "), maxSplits: 20)
        guard fields.count > 19, let state = fields[0].first,
            let parent = Int32(String(decoding: fields[1], as: UTF8.self)),
            let startTime = UInt64(String(decoding: fields[19], as: UTF8.self))
        else { return nil }
        name = String(decoding: text[(open + 1)..<close], as: UTF8.self)
        self.state = state
        self.parent = parent
        self.startTime = startTime
    }
}
#endif
