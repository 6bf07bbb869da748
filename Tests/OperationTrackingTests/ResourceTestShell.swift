#if os(Linux)
import TestSupport
import Testing

@testable import OperationTracking

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// A shell that runs what a test says. It prints a line where it has come to something, and waits for lines.
final class ResourceTestShell {
    let pid: Int32
    private let input: Int32
    private let output: Int32
    private var hasEnded = false

    init(_ script: String) throws {
        let (childInput, input) = try Self.pipePair()
        let (output, childOutput) = try Self.pipePair()
        defer {
            close(childInput)
            close(childOutput)
        }
        pid = try spawn(["/bin/sh", "-c", script], environment: [:], input: childInput, output: childOutput)
        self.input = input
        self.output = output
    }

    deinit {
        end()
    }

    var identity: ProcessIdentity {
        get throws { try #require(ProcessIdentity(running: pid)) }
    }

    /// Waits for a line, and gives what is in it.
    func line() -> String {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(output, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
        return String(decoding: line, as: UTF8.self)
    }

    /// Gives it a line to read.
    func proceed() {
        write(input, "\n", 1)
    }

    /// Closes its input, at which every script ends, and waits for it.
    func end() {
        guard !hasEnded else { return }
        hasEnded = true
        close(input)
        waitpid(pid, nil, 0)
        close(output)
    }

    private static func pipePair() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }
}
#endif
