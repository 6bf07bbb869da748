import OperationTracking

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The terminal's other screen, on which whole pictures are drawn, until it is left: then the terminal is as it was before.
final class FullScreen {
    private var settings = termios()
    private let hasSettings: Bool
    private var last: [String] = []

    /// Goes to the other screen, and takes keys without showing them.
    init() {
        hasSettings = tcgetattr(STDIN_FILENO, &settings) == 0
        if hasSettings {
            var quiet = settings
            quiet.c_lflag &= ~tcflag_t(ECHO | ICANON)
            // Stopped by Ctrl-Z, the program couldn't leave the screen first.
            withUnsafeMutableBytes(of: &quiet.c_cc) { $0[Int(VSUSP)] = 0 }
            tcsetattr(STDIN_FILENO, TCSANOW, &quiet)
        }
        // Without the cursor, and lines that are too long are cut and not wrapped.
        Console.raw("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[2J")
    }

    /// Draws a picture in place of the one before.
    func draw(_ lines: [String], isResized: Bool) {
        guard isResized || lines != last else { return }
        last = lines
        // Line by line, so that nothing flickers; what a terminal has done with the old lines when it was resized is wiped first.
        let picture = lines.map { "\u{1B}[K" + $0 }.joined(separator: "\r\n")
        Console.raw((isResized ? "\u{1B}[2J" : "") + "\u{1B}[H" + picture + "\u{1B}[J")
    }

    func leave() {
        Console.raw("\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
        if hasSettings { tcsetattr(STDIN_FILENO, TCSANOW, &settings) }
    }

    /// Calls `action` when a key is pressed that is one of `keys`.
    ///
    /// The thread ends with the program.
    static func onKey(_ keys: String, _ action: @escaping @Sendable () -> Void) {
        guard isatty(STDIN_FILENO) == 1 else { return }
        let keys = Set(keys.utf8)
        _ = BlockingThread.run {
            var byte: UInt8 = 0
            while read(STDIN_FILENO, &byte, 1) == 1 || errno == EINTR {
                if keys.contains(byte) { return action() }
            }
        }
    }
}
