import Foundation
import Synchronization

/// What a run has made and has to take away when it ends, also when it is ended early: processes, and folders.
enum Leftovers {
    private struct State {
        var groups: Set<pid_t> = []
        var folders: Set<String> = []
    }

    private static let state = Mutex(State())

    /// Sees to it that nothing is left when this process ends by `exit`, or is told to end by ^C or by a signal.
    static func areRemovedAtTheEnd() {
        // Who reads our output no more is told by the failure to write it.
        signal(SIGPIPE, SIG_IGN)
        // Made before a handler needs it.
        _ = told
        Thread.detachNewThread { endWhenTold() }
        // By handlers, since a main thread that waits for others has no signal blocked: `sigwait` elsewhere would not get them.
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let before = signal(number) { number in
                let error = errno
                var byte = UInt8(truncatingIfNeeded: number)
                write(Leftovers.told.write, &byte, 1)
                errno = error
            }
            // What was to be ignored, as `nohup` wants it for SIGHUP, stays so.
            if unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { signal(number, SIG_IGN) }
        }
        atexit { Leftovers.state.withLock { Leftovers.remove(&$0) } }
    }

    /// A pipe for the number of the signal that was sent.
    private static let told: (read: Int32, write: Int32) = {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "There is no room for a pipe.")
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }()

    /// Starts a process that leads a group of its own.
    ///
    /// - Parameter start: returns the process's id.
    static func start(_ start: () throws -> pid_t) rethrows -> pid_t {
        // Under the lock, or a process could be started that nobody ends.
        try state.withLock { state in
            let pid = try start()
            state.groups.insert(pid)
            return pid
        }
    }

    static func hasEnded(_ pid: pid_t) {
        state.withLock { _ = $0.groups.remove(pid) }
    }

    static func make(folder path: String) throws {
        try state.withLock { state in
            state.folders.insert(path)
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
    }

    static func remove(folder path: String) {
        try? FileManager.default.removeItem(atPath: path)
        state.withLock { _ = $0.folders.remove(path) }
    }

    private static func endWhenTold() {
        var byte: UInt8 = 0
        while read(told.read, &byte, 1) != 1 {}
        let number = Int32(byte)
        // The lock is never given back: nothing more is to begin.
        state.withLock { state in
            remove(&state)
            // Whoever waits for this process is told what ended it.
            signal(number, SIG_DFL)
            raise(number)
        }
    }

    private static func remove(_ state: inout State) {
        for group in state.groups { kill(-group, SIGKILL) }
        for folder in state.folders {
            // Again where a thread of ours has made a file in it meanwhile.
            for _ in 0..<100 where FileManager.default.fileExists(atPath: folder) {
                try? FileManager.default.removeItem(atPath: folder)
            }
        }
        state = State()
    }
}
