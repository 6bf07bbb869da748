import OperationTracking
import Synchronization

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

/// Where the program writes.
enum Console {
    /// Why something could not be written; 0 for nothing.
    private static let writeFailure = Atomic<Int32>(0)

    /// Whether something could not be written, as on a full disk. A reader that went away is no failure.
    static var hasFailed: Bool { writeFailure.load(ordering: .relaxed) != 0 }

    /// Says so, where the errors go somewhere else than the output.
    static func sayFailure() {
        let number = writeFailure.load(ordering: .relaxed)
        guard number != 0 else { return }
        let reason = SystemCallError(number).reason
        error("wizard: what it has to say could not be written: \(reason). Make room there, or send it elsewhere.")
    }

    static func line(_ text: String) {
        write(text + "\n", to: STDOUT_FILENO)
    }

    private static let speaksJSON = Atomic(false)

    /// Says whether what is said beside the output is for programs, too: a JSON object a line.
    static func speakJSON(_ isWanted: Bool) { speaksJSON.store(isWanted, ordering: .relaxed) }

    /// Says something beside the output.
    static func error(_ text: String) {
        guard speaksJSON.load(ordering: .relaxed) else { return write(text + "\n", to: STDERR_FILENO) }
        writeError(["notice": text.hasPrefix("wizard: ") ? String(text.dropFirst(8)) : text])
    }

    /// Says why a command has failed.
    ///
    /// - Parameters:
    ///   - message: why, for people.
    ///   - command: the command's name; `nil` where there is none.
    ///   - hint: what stands behind the message, for people alone.
    ///   - code: why, for programs.
    ///   - exitCode: what the program ends with.
    static func failure(
        _ message: String,
        of command: String?,
        hint: String? = nil,
        code: String,
        exitCode: ExitCode
    ) -> ExitCode {
        if speaksJSON.load(ordering: .relaxed) {
            writeError(Failure(error: message, errorCode: code, exitCode: exitCode.rawValue))
        } else {
            error("wizard\(command.map { " " + $0 } ?? ""): \(message)" + (hint.map { "\n" + $0 } ?? ""))
        }
        return exitCode
    }

    private struct Failure: Encodable {
        let error: String
        let errorCode: String
        let exitCode: Int32

        private enum CodingKeys: String, CodingKey {
            case error
            case errorCode = "error_code"
            case exitCode = "exit_code"
        }
    }

    private static func writeError(_ value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts and numbers are always encoded.
        guard let bytes = try? encoder.encode(value) else { return }
        write([UInt8](bytes) + [UInt8(ascii: "\n")], to: STDERR_FILENO)
    }

    /// Text that is to stand as it is, without a newline.
    static func raw(_ text: String) {
        write(text, to: STDOUT_FILENO)
    }

    static func json(_ bytes: [UInt8]) {
        write(bytes + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
    }

    static func encode(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        json([UInt8](try encoder.encode(value)))
    }

    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Whether a line can be written over: a terminal that knows how.
    static var canRewriteLines: Bool {
        isTerminal && getenv("TERM").map { String(cString: $0) != "dumb" } ?? false
    }

    /// Colour is for people, and only for those who haven't said no (https://no-color.org).
    static var usesColour: Bool {
        canRewriteLines && getenv("NO_COLOR").map({ $0.pointee == 0 }) ?? true
    }

    /// Asks a person at the terminal.
    ///
    /// - Throws: ``UsageError`` where there is none.
    static func confirm(_ question: String) throws -> Bool {
        let question = question.printable
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
            throw UsageError("\(question) Nobody can be asked here: say --yes for yes.")
        }
        write("\(question) [y/N] ", to: STDERR_FILENO)
        return ["y", "yes"].contains(readLine()?.lowercased())
    }

    /// The terminal's height in lines; 24 where it can't be told.
    static var height: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return 24 }
        return Int(size.ws_row)
    }

    /// The terminal's width in columns; 80 where it can't be told.
    static var width: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        write(Array(text.utf8), to: descriptor)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        do throws(SystemCallError) {
            try FileBytes.write(bytes, to: descriptor)
        } catch {
            if error.number != EPIPE { writeFailure.store(error.number, ordering: .relaxed) }
        }
    }
}
