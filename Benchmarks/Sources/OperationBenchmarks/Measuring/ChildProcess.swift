import Foundation

/// A process of ours that leads a group of its own, which ends with it. `Foundation.Process` takes milliseconds to see that one has
/// ended, and what it starts can't be told to end where it has children: it begins with the signals blocked that the runtime's
/// threads block.
struct ChildProcess {
    let pid: pid_t
    /// What it prints.
    let output: FileHandle

    /// - Throws: ``ProgramFailure`` when it can't be started.
    init(_ program: String, _ arguments: [String]) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw ProgramFailure(program: program, status: errno) }
        // Or every program that is started later would hold them open.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        output = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
        defer { close(ends[1]) }

        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        // Which this process ignores.
        var pipes = sigset_t()
        sigemptyset(&pipes)
        sigaddset(&pipes, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &pipes)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP)
        )

        let words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        pid = try Leftovers.start {
            var pid: pid_t = 0
            let result = posix_spawn(&pid, program, &actions, &attributes, words, environ)
            guard result == 0 else { throw ProgramFailure(program: program, status: result) }
            return pid
        }
    }

    /// What it has printed, once it has printed something.
    func firstOutput() -> String { String(decoding: output.availableData, as: UTF8.self) }

    /// Asks it and what it has started to end, and waits until it has. That it doesn't, with a minute's time, ends the run.
    func end() {
        kill(-pid, SIGTERM)
        for _ in 0..<12_000 {
            if waitpid(pid, nil, WNOHANG) != 0 { return Leftovers.hasEnded(pid) }
            usleep(5000)
        }
        stop("FAILED: process \(pid) was told to end a minute ago, and hasn't.")
    }

    /// - Returns: 0 when it ended well, by itself.
    @discardableResult
    func waitForEnd() -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        Leftovers.hasEnded(pid)
        return status
    }

    /// The time that all its threads have run for, those that have ended too, in nanoseconds; `nil` where the system doesn't tell.
    var processorNanoseconds: Int? {
        #if os(Linux)
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else { return nil }
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
        #else
        return nil
        #endif
    }

    /// The memory that it holds now, in bytes; `nil` where the system doesn't tell.
    var residentBytes: Int? { residentMemory(ofProcess: "\(pid)", "VmRSS") }
}

/// - Parameters:
///   - process: its id, or `self`.
///   - field: `VmRSS` for what it holds now, `VmHWM` for the most that it held.
/// - Returns: bytes; `nil` where the system doesn't tell.
func residentMemory(ofProcess process: String, _ field: String) -> Int? {
    guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8) else { return nil }
    let line = status.split(separator: "\n").first { $0.hasPrefix("\(field):") }
    return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
}
