#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A process as the system sees it. Linux only.
public enum SystemProcess {
    /// The letter of its state, such as `T` for stopped; `nil` when there is none.
    public static func state(_ pid: Int32) -> Character? { state(at: "/proc/\(pid)") }

    private static func state(at folder: String) -> Character? {
        guard let text = try? String(contentsOfFile: folder + "/stat", encoding: .utf8),
            // It stands behind the name in brackets (proc_pid_stat(5)).
            let bracket = text.lastIndex(of: ")")
        else { return nil }
        return text[bracket...].dropFirst(2).first
    }

    /// Whether it is there and no zombie: who reaps an orphan, and when, is the system's business.
    public static func isAlive(_ pid: Int32) -> Bool {
        state(pid).map { $0 != "Z" && $0 != "X" } ?? false
    }

    /// Stops it, and waits until it stands still: its threads stop one after the other, and one of them might answer still.
    public static func stop(_ pid: Int32) async throws {
        kill(pid, SIGSTOP)
        let folder = "/proc/\(pid)/task/"
        try await eventually("process \(pid) stands still") {
            try FileManager.default.contentsOfDirectory(atPath: folder).allSatisfy { thread in
                // One that is gone by now does nothing any more either.
                state(at: folder + thread).map { $0 == "T" } ?? true
            }
        }
    }

    /// How many descriptors it has of the file at a path; of this program's own, those of all tests.
    public static func openCount(of path: String, in pid: Int32? = nil) -> Int {
        guard let wanted = FileID(path) else { return 0 }
        let folder = "/proc/\(pid.map(String.init) ?? "self")/fd/"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.count { FileID(folder + $0) == wanted }
    }

    private struct FileID: Equatable {
        let device: UInt64
        let node: UInt64

        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            device = UInt64(status.st_dev)
            node = UInt64(status.st_ino)
        }
    }
}
