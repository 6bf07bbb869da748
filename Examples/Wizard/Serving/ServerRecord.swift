import OperationTracking

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

/// `server.json` in the data directory: where the server that uses it listens, and how it was started, for programs of the same
/// user. Beside it, `server.pid` has its pid alone; both go when the server stops, and `server.last.json`, the same once more, stays.
struct ServerRecord {
    private let data: String
    private let bytes: [UInt8]

    private var path: String { data + "/server.json" }
    private var lockPath: String { path + ".lock" }
    private var lastPath: String { data + "/" + KnownServer.lastFile }
    private var pidPath: String { data + "/server.pid" }

    /// - Parameters:
    ///   - url: where it listens.
    ///   - ollama: the Ollama that it pulls into; `nil` for none.
    ///   - tokenFile: the file with its token, from the root on; `nil` for none.
    ///   - data: the data directory.
    init(url: String, ollama: String?, tokenFile: String?, in data: String) {
        self.data = data
        let pid = getpid()
        var json = JSONWriter(capacity: 1024)
        json.beginObject()
        json.key("url")
        json.value(url)
        json.key("pid")
        json.value(Int(pid))
        json.key("started_at")
        json.value(milliseconds: SystemTrackingClock().wallMilliseconds)
        // With the pid this is one process and no later one.
        json.key("process_start_time")
        json.value(ProcessIdentity(running: pid).map { Int($0.startTime) })
        json.key("ollama")
        json.value(ollama)
        json.key("token_file")
        json.value(tokenFile)
        // For `wizard restart`.
        json.key("arguments")
        json.beginArray()
        for argument in CommandLine.arguments.dropFirst(2) { json.value(argument) }
        json.endArray()
        json.key("directory")
        json.value(FileManager.default.currentDirectoryPath)
        json.endObject()
        bytes = json.bytes + [UInt8(ascii: "\n")]
    }

    /// Looks whether a server could write its record, also as far as there is room on the disk.
    ///
    /// - Throws: ``UsageError`` where it couldn't.
    static func check(in data: String) throws {
        let record = ServerRecord(url: "", ollama: nil, tokenFile: nil, in: data)
        _ = try record.lock()
        for path in [record.lastPath, record.pidPath, record.path] {
            try record.put(path) { (folder, name) throws(SystemCallError) in
                try AtomicWrite.rehearse(name, in: folder)
            }
        }
    }

    /// Writes the record, in place of one that a server has left which didn't stop in order. That of a server that runs stays:
    /// whoever has found that one goes on finding it.
    ///
    /// - Returns: the server that is found in the place of this one; `nil` for none.
    /// - Throws: ``UsageError`` when it can't be written; `OperationFailure` when another process is at it for seconds.
    func write() async throws -> KnownServer? {
        let pid = getpid()
        return try await lock().hold {
            if let known = KnownServer.running(in: data) { return known.process.pid == pid ? nil : known }
            try write(bytes, to: lastPath)
            try write(Array("\(pid)\n".utf8), to: pidPath)
            // Last: who finds it finds the others, too.
            try write(bytes, to: path)
            return nil
        }
    }

    /// Between looking who is there and taking the place nobody else may do so.
    private func lock() throws -> BriefLock {
        do {
            return try BriefLock(lockPath, path: lockPath)
        } catch {
            throw failure(lockPath)
        }
    }

    /// Waits for another server to stop, so that commands find the one that is left, until the task is cancelled.
    func write(after other: KnownServer) async {
        var found: KnownServer? = other
        var trouble: String?
        say("another server uses \(data), \(other.url): commands for this folder go to that one while it runs.")
        while (try? await Task.sleep(for: .seconds(1), tolerance: .milliseconds(500))) != nil {
            do {
                // Whoever starts a server, or stops one to start another, has the place for that one.
                guard let start = try StartLock(ifFreeIn: data) else { continue }
                defer { start.release() }
                let before = found
                found = try await write()
                if before != nil, found == nil {
                    say("the other server has stopped: commands for this folder come here.")
                }
                trouble = nil
            } catch is CancellationError {
                return
            } catch {
                // The disk may have room again later.
                let text = (error as? UsageError)?.message ?? "\(error)"
                if text != trouble { say(text) }
                trouble = text
            }
        }
    }

    private func say(_ text: String) { Console.error("wizard serve: \(text.printable)") }

    /// Removes the record, unless another server has put its own there.
    func remove() async {
        do {
            try await lock().hold { removeOwn() }
        } catch {
            // It would be found to be of a process that is gone.
            say("\(path) stays: \((error as? UsageError)?.message ?? "\(error)")")
        }
    }

    private func removeOwn() {
        guard (try? RegularFile.read(path, limit: bytes.count)) == bytes else { return }
        unlink(path)
        unlink(pidPath)
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        try put(path) { (folder, name) throws(SystemCallError) in
            // Under the lock nobody else is at it.
            AtomicWrite.removeParts(in: folder, of: name)
            try AtomicWrite.replace(name, in: folder, with: bytes, mode: 0o600)
        }
    }

    private func put(_ path: String, _ work: (Int32, String) throws(SystemCallError) -> Void) throws {
        do throws(SystemCallError) {
            try AtomicWrite.inFolder(of: path, work)
        } catch {
            throw failure(path, error)
        }
    }

    private func failure(_ path: String, _ error: SystemCallError = SystemCallError()) -> UsageError {
        UsageError(
            "can't write \(path): \(error.reason). Check its permissions and the room on the disk, or take another folder by --data."
        )
    }
}
