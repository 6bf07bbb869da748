import CCurl
import Synchronization

/// How other threads talk to curl's thread: a list of commands, and a wake-up call.
final class CurlMailbox: Sendable {
    enum Command {
        /// Send the exchange's request.
        case start(Exchange)
        /// Go on receiving: the reader has made room.
        case resume(Exchange)
        /// Drop the exchange and close its connection.
        case cancel(Exchange)
    }

    static let closedError = TransferError(.transportFailed, "The HTTP transport has been shut down.")

    private struct State {
        var commands: [Command] = []
        var isClosed = false
        /// What curl's thread sleeps on; `nil` before the thread is up and once it has ended.
        var sleeper: Sleeper?
    }

    /// The multi handle, for nothing but waking its thread.
    ///
    /// `@unchecked Sendable` is sound because `curl_multi_wakeup` is the one function that any thread may call at any time
    /// (curl_multi_wakeup(3)), as long as the handle lives. It is called under the mailbox's lock alone, and under the same lock
    /// the thread takes the handle back before it frees it.
    private struct Sleeper: @unchecked Sendable {
        private let multi: UnsafeMutableRawPointer

        init(_ multi: UnsafeMutableRawPointer) {
            self.multi = multi
        }

        func wake() {
            curl_multi_wakeup(multi)
        }
    }

    private let state = Mutex(State())

    /// Hands curl's thread a command.
    /// - Returns: `false` where the thread takes no more.
    @discardableResult
    func post(_ command: Command) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.commands.append(command)
            // With a command waiting before this one the thread has been woken already.
            if state.commands.count == 1 { state.sleeper?.wake() }
            return true
        }
    }

    /// Has the thread end. Returns at once; without effect the second time.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.sleeper?.wake()
        }
    }
}

// MARK: - The side of curl's thread

extension CurlMailbox {
    /// From now on a command wakes the thread that polls `multi`.
    func attach(_ multi: UnsafeMutableRawPointer) {
        let sleeper = Sleeper(multi)
        state.withLock { $0.sleeper = sleeper }
    }

    /// The commands since the last call, in order; `nil` when the thread has to end.
    func collect() -> [Command]? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            defer { state.commands.removeAll() }
            return state.commands
        }
    }

    /// From now on nothing touches the multi handle, and no command is taken.
    /// - Returns: the commands that nobody has collected.
    func detach() -> [Command] {
        state.withLock { state in
            state.isClosed = true
            state.sleeper = nil
            defer { state.commands.removeAll() }
            return state.commands
        }
    }
}
