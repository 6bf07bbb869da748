#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Where the program keeps what it knows.
enum DataDirectory {
    /// `--data`, else `OPERATION_TRACKING_DATA`, else the place that the system has for such things.
    static func path(_ options: ParsedOptions) throws -> String {
        if let given = options.text("data") {
            guard !given.isEmpty else { throw UsageError("--data takes a folder.") }
            return given
        }
        return standard(ProcessInfo.processInfo.environment)
    }

    static func standard(_ environment: [String: String]) -> String {
        if let given = environment["OPERATION_TRACKING_DATA"], !given.isEmpty { return given }
        let home = environment["HOME"] ?? "."
        #if os(macOS)
        return home + "/Library/Application Support/operation-tracking"
        #else
        // A relative path there is to be ignored (XDG Base Directory Specification).
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") { return state + "/operation-tracking" }
        return home + "/.local/state/operation-tracking"
        #endif
    }
}
