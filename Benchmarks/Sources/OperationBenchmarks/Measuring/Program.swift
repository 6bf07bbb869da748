import Foundation
import Synchronization

/// A program that may be on this machine.
struct Program {
    let name: String
    /// `nil` when it isn't here, which has been said then.
    let path: String?

    /// - Parameters:
    ///   - name: as it is called in a shell.
    ///   - package: what it comes with, in Debian or Homebrew.
    init(_ name: String, from package: String) {
        self.name = name
        let folders = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/opt/homebrew/bin"]
        path = folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
        if path == nil { leaveOut("\(name) is not here (package \(package)).") }
    }
}

/// What the suite that is being measured has left out, each once, in the order in which that was said.
private let leftOut = Mutex<[String]>([])

/// What has been left out since this was asked last.
func takeLeftOut() -> [String] {
    leftOut.withLock { messages in
        defer { messages = [] }
        return messages
    }
}

/// Says what isn't measured, so that nobody takes it for done.
func leaveOut(_ message: String) {
    let isNew = leftOut.withLock { messages in
        guard !messages.contains(message) else { return false }
        messages.append(message)
        return true
    }
    if isNew { Output.remark("LEFT OUT: \(message)") }
}

/// Runs a program to its end.
///
/// - Returns: what it printed.
/// - Throws: ``ProgramFailure`` when it can't be run, or says that it failed.
func run(_ program: String, _ arguments: [String]) throws -> Data {
    let child = try ChildProcess(program, arguments)
    let output = try child.output.readToEnd() ?? Data()
    let status = child.waitForEnd()
    guard status == 0 else { throw ProgramFailure(program: program, status: status) }
    return output
}

struct ProgramFailure: Error, CustomStringConvertible {
    let program: String
    let status: Int32

    var description: String { "\(program) failed with \(status)." }
}
