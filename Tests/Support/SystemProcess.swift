#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A process as the system sees it. Linux only.
public enum SystemProcess {
    /// The letter of its state, such as `T` for stopped; `nil` when there is none.
    public static func state(_ pid: Int32) -> Character? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let bracket = text.lastIndex(of: ")")
        else { return nil }
        return text[bracket...].dropFirst(2).first
    }

    /// Whether it is there and no zombie: who reaps an orphan, and when, is the system's business.
    public static func isAlive(_ pid: Int32) -> Bool {
        state(pid).map { $0 != "Z" && $0 != "X" } ?? false
    }
}
