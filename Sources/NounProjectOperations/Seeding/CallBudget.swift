#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Counts calls against the limits, over restarts and over all processes that share the file.
final class CallBudget: Sendable {
    let limits: CallLimits
    private let path: String?
    /// Where the calls are counted when there is no file.
    private let memory = Mutex(CallLog())

    /// - Parameter path: the file that keeps the count; `nil` to keep it in memory.
    init(limits: CallLimits, path: String?) {
        self.limits = limits
        self.path = path
    }

    /// Takes a call, when one may be made now.
    ///
    /// - Returns: what may be done, and how many calls are left today.
    func take(at now: Int64) async throws -> (verdict: CallLog.Verdict, leftToday: Int) {
        try await withLog(at: now) { log in
            let verdict = log.verdict(onCall: 1, limits, at: now)
            if verdict == .go { log.record(at: now) }
            return (verdict, limits.perDay - log.today)
        }
    }

    /// What is to be said of the last of so many calls, made one after the other from now on; takes none.
    func outlook(calls: Int, at now: Int64) async throws -> CallLog.Verdict {
        try await withLog(at: now) { $0.verdict(onCall: calls, limits, at: now) }
    }

    private func withLog<Result>(at now: Int64, _ body: (inout CallLog) -> Result) async throws -> Result {
        guard let path else {
            return memory.withLock { log in
                log.advance(to: now)
                return body(&log)
            }
        }
        return try await BriefLock(path + ".lock", path: path + ".lock").hold {
            var log = Self.read(path)
            log.advance(to: now)
            let before = log
            let result = body(&log)
            if log != before { try Self.write(log, to: path) }
            return result
        }
    }

    private struct Kept: Codable {
        var day: Int64
        var calls: Int
        var recent: [Int64]
    }

    /// A file that can't be read counts for nothing: at worst the API itself says that it is enough.
    private static func read(_ path: String) -> CallLog {
        guard let data = FileManager.default.contents(atPath: path), data.count < 1 << 20,
            let kept = try? JSONDecoder().decode(Kept.self, from: data)
        else { return CallLog() }
        return CallLog(day: kept.day, today: kept.calls, recent: kept.recent)
    }

    private static func write(_ log: CallLog, to path: String) throws(OperationFailure) {
        let kept = Kept(day: log.day, calls: log.today, recent: log.recent)
        guard let data = try? JSONEncoder().encode(kept) else { return }
        let part = path + ".part"
        // Not made durable: after a power cut the count may be a moment old.
        let descriptor = open(part, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileFailure.failure("write \(part)") }
        let isWritten = FileFailure.writeAll(Array(data), to: descriptor)
        let failure = isWritten ? nil : FileFailure.failure("write \(part)")
        close(descriptor)
        if let failure { throw failure }
        guard rename(part, path) == 0 else { throw FileFailure.failure("write \(path)") }
    }
}
