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
        let lock: BriefLock
        do throws(SystemCallError) {
            lock = try BriefLock(path + ".lock", path: path + ".lock")
        } catch {
            throw FileFailure.failure("open \(path).lock", error)
        }
        return try await lock.hold {
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
        guard let bytes = try? RegularFile.read(path, limit: 1 << 20),
            let kept = try? JSONDecoder().decode(Kept.self, from: Data(bytes))
        else { return CallLog() }
        return CallLog(day: kept.day, today: kept.calls, recent: kept.recent)
    }

    private static func write(_ log: CallLog, to path: String) throws(OperationFailure) {
        let kept = Kept(day: log.day, calls: log.today, recent: log.recent)
        guard let data = try? JSONEncoder().encode(kept) else { return }
        let file = URL(fileURLWithPath: path)
        let folder = open(file.deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw FileFailure.failure("write \(path)") }
        defer { close(folder) }
        // What a killed process has left half-written; nobody else writes while the lock is held.
        AtomicWrite.removeParts(in: folder, of: file.lastPathComponent)
        do throws(SystemCallError) {
            // Not made durable: after a power cut the count may be a moment old.
            try AtomicWrite.replace(
                file.lastPathComponent,
                in: folder,
                with: Array(data),
                mode: 0o600,
                isDurable: false
            )
        } catch {
            throw FileFailure.failure("write \(path)", error)
        }
    }
}
