import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Does something at the first Ctrl-C (or SIGTERM, or when the terminal is closed) instead of dying; a second one ends the
/// program as ever.
///
/// `timeout` and supervisors signal the program and then its process group, so that one wish comes as two signals: what
/// follows the first within ``repeatTime`` is that same wish.
final class Interrupt: Sendable {
    private let key: Int

    private static let repeatTime = DispatchTimeInterval.milliseconds(500)

    /// - Parameters:
    ///   - action: what is done at the first.
    ///   - last: what is done at a second one, before the program ends.
    init(_ action: @escaping @Sendable () -> Void, last: @escaping @Sendable () -> Void = {}) {
        let (isFirst, isOver) = (Once(), Once())
        key = EndingSignals.handle { number in
            guard !isFirst.take() else {
                action()
                return EndingSignals.queue.asyncAfter(deadline: .now() + Self.repeatTime) { _ = isOver.take() }
            }
            guard isOver.isTaken else { return }
            last()
            EndingSignals.end(by: number)
        }
    }

    /// Does something that the first Ctrl-C cancels.
    static func cancelling<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await during(body) { $0.cancel() }
    }

    /// Does something, and something else at the first Ctrl-C. The first begins when that can be heard.
    ///
    /// - Parameter action: what is done at the first Ctrl-C, with the task of `body`.
    static func during<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result,
        do action: @escaping @Sendable (Task<Result, any Error>) -> Void
    ) async throws -> Result {
        let (isReady, ready) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            for await _ in isReady {}
            return try await body()
        }
        let interrupt = Interrupt { action(task) }
        defer { interrupt.stop() }
        ready.finish()
        return try await task.value
    }

    func stop() { EndingSignals.stopHandling(key) }
}

/// The signals that end a program, watched from the first time on for as long as it runs: libdispatch puts its handler into the
/// system's table only once for each signal, so one that is given back in between is never heard of again.
private enum EndingSignals {
    typealias Handler = @Sendable (Int32) -> Void

    static let queue = DispatchQueue(label: "wizard.interrupt")
    private static let handlers = Mutex<(last: Int, all: [Int: Handler])>((0, [:]))

    /// Only held: made once, before anyone else can see them, and never touched again. Dispatch doesn't say that they are Sendable.
    nonisolated(unsafe) private static let sources: [any DispatchSourceSignal] = {
        // Whoever started the program may want it to ignore Ctrl-C, as a shell does for what runs in the background.
        [SIGINT, SIGTERM, SIGHUP].filter { !isIgnored($0) }.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                let all = handlers.withLock { Array($0.all.values) }
                guard !all.isEmpty else { return end(by: number) }
                for handler in all { handler(number) }
            }
            source.resume()
            return source
        }
    }()

    static func handle(_ handler: @escaping Handler) -> Int {
        let key = handlers.withLock { handlers in
            handlers.last += 1
            handlers.all[handlers.last] = handler
            return handlers.last
        }
        _ = sources
        return key
    }

    static func stopHandling(_ key: Int) {
        handlers.withLock { $0.all[key] = nil }
    }

    /// Ends the program as if nobody had been listening.
    static func end(by number: Int32) {
        signal(number, SIG_DFL)
        kill(getpid(), number)
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        #if canImport(Glibc)
        let handler = action.__sigaction_handler.sa_handler
        #else
        let handler = action.__sigaction_u.__sa_handler
        #endif
        // Handlers can't be compared, but SIG_IGN is a number in a handler's clothes.
        return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}

/// True once.
private final class Once: Sendable {
    private let taken = Atomic(false)

    var isTaken: Bool { taken.load(ordering: .relaxed) }

    func take() -> Bool { !taken.exchange(true, ordering: .relaxed) }
}
