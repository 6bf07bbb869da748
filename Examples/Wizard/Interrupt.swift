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
final class Interrupt {
    private let sources: [any DispatchSourceSignal]

    private static let repeatTime = DispatchTimeInterval.milliseconds(500)

    /// - Parameters:
    ///   - action: what is done at the first.
    ///   - last: what is done at a second one, before the program ends.
    init(_ action: @escaping @Sendable () -> Void, last: @escaping @Sendable () -> Void = {}) {
        let queue = DispatchQueue(label: "wizard.interrupt")
        // Whoever started the program may want it to ignore Ctrl-C, as a shell does for what runs in the background.
        let numbers = [SIGINT, SIGTERM, SIGHUP].filter { !Self.isIgnored($0) }
        let (isFirst, isOver) = (Once(), Once())
        sources = numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                guard !isFirst.take() else {
                    action()
                    return queue.asyncAfter(deadline: .now() + Self.repeatTime) { _ = isOver.take() }
                }
                guard isOver.isTaken else { return }
                last()
                signal(number, SIG_DFL)
                kill(getpid(), number)
            }
            source.resume()
            return source
        }
    }

    /// Does something that the first Ctrl-C cancels.
    static func cancelling<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let task = Task { try await body() }
        let interrupt = Interrupt { task.cancel() }
        defer { interrupt.stop() }
        return try await task.value
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

    func stop() {
        for source in sources {
            source.cancel()
            signal(Int32(source.handle), SIG_DFL)
        }
    }
}

/// True once.
private final class Once: Sendable {
    private let taken = Atomic(false)

    var isTaken: Bool { taken.load(ordering: .relaxed) }

    func take() -> Bool { !taken.exchange(true, ordering: .relaxed) }
}
