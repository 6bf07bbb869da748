import OperationTracking
import Synchronization

/// Carries what a command prints to its operation, and keeps the end of it.
final class OutputReport: Sendable {
    private struct State {
        var tail = OutputTail()
        var parser: ProgressParser
        var isTotalKnown = false
        var shownLine: String?
    }

    /// No line that is meant for people is longer than this; what a flood of output costs depends on it.
    private static let lineLimit = 512

    private let handle: OperationHandle
    private let state: Mutex<State>

    init(handle: OperationHandle, rule: ProgressRule) {
        self.handle = handle
        state = Mutex(State(parser: ProgressParser(rule)))
        // Nothing is known until the output tells something.
        handle.setTotal(nil)
    }

    func take(_ chunk: UnsafeRawBufferPointer) {
        let (share, line) = state.withLock { state in
            state.tail.append(chunk)
            return (state.parser.take(chunk), Self.newLine(&state))
        }
        show(share)
        if let line { handle.setMessage(line) }
    }

    /// Takes the end of the output.
    func finish() {
        show(state.withLock { $0.parser.finish() })
    }

    var seen: Int64 { state.withLock { $0.tail.seen } }
    var text: String { state.withLock { $0.tail.text } }
    func lastLines(_ count: Int) -> [String] { state.withLock { $0.tail.lastLines(count) } }

    private func show(_ share: Double?) {
        guard let share else { return }
        let isFirst = state.withLock { state in
            defer { state.isTotalKnown = true }
            return !state.isTotalKnown
        }
        if isFirst { handle.setTotal(OperationUnit.wholeFraction) }
        handle.update(fraction: share)
    }

    private static func newLine(_ state: inout State) -> String? {
        guard let line = state.tail.lastLines(1, within: lineLimit).first?.excerpt, line != state.shownLine else {
            return nil
        }
        state.shownLine = line
        return line
    }
}
