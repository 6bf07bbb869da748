import OperationTracking
import Synchronization

/// The stream of an operation that another process runs on the same history: looks there once a second.
final class HistoryStream: StreamSource {
    private struct State {
        /// What goes before the first piece.
        var opening: [UInt8]
        var piece: [UInt8]
        var isOver: Bool
        var notify: (@Sendable () -> Void)?
        var task: Task<Void, Never>?
        var release: (@Sendable () -> Void)?
    }

    private static let interval: Duration = .seconds(1)
    /// So many looks without news are followed by a sign of life.
    private static let looksPerHeartbeat = 15
    /// So many looks are followed by one for operations whose process is gone, which ends them.
    private static let looksPerCheck = 5

    private let state: Mutex<State>

    /// - Parameters:
    ///   - record: the operation as it is known.
    ///   - history: where its news come from.
    ///   - clock: what is waited on.
    ///   - opening: what the stream begins with.
    ///   - format: makes text of it.
    ///   - release: called once, at the end.
    init(
        _ record: OperationRecord,
        in history: any HistoryStore,
        clock: any TrackingClock,
        opening: [UInt8],
        format: @escaping @Sendable (OperationRecord) -> [UInt8],
        release: @escaping @Sendable () -> Void
    ) {
        let isOver = record.operation.status.isTerminal
        state = Mutex(State(opening: opening, piece: format(record), isOver: isOver, release: release))
        guard !isOver else { return }
        let task = Task { [weak self] in
            var last = record.operation
            var silentLooks = 0
            var looks = 0
            while true {
                do { try await clock.sleep(for: Self.interval) } catch { return }
                looks += 1
                if looks % Self.looksPerCheck == 0 { _ = try? await (history as? any SharedHistory)?.orphans() }
                let record: OperationRecord
                silentLooks += 1
                do {
                    // One that is gone has ended: what is active stays.
                    guard let found = try await history.record(last.id) else {
                        self?.end()
                        return
                    }
                    record = found
                } catch let error as HistoryError where error.code == .closed {
                    self?.end()
                    return
                } catch {
                    record = OperationRecord(operation: last)
                }
                if record.operation != last {
                    silentLooks = 0
                    last = record.operation
                    guard let self else { return }
                    self.put(format(record), isLast: last.status.isTerminal)
                    if last.status.isTerminal { return }
                } else if silentLooks % Self.looksPerHeartbeat == 0 {
                    guard let self else { return }
                    self.putIfEmpty(EventText.heartbeat)
                }
            }
        }
        state.withLock { $0.task = task }
    }

    func next(orNotify notify: @escaping @Sendable () -> Void) -> APIStream.Step {
        let (step, release): (APIStream.Step, (@Sendable () -> Void)?) = state.withLock { state in
            if !state.piece.isEmpty {
                defer { (state.opening, state.piece) = ([], []) }
                return (.piece(state.opening + state.piece), nil)
            }
            guard !state.isOver else {
                defer { state.release = nil }
                return (.end, state.release)
            }
            state.notify = notify
            return (.waiting, nil)
        }
        release?()
        return step
    }

    func cancel() {
        let before = state.withLock { state in
            defer {
                state = State(opening: [], piece: [], isOver: true)
            }
            return state
        }
        before.task?.cancel()
        before.release?()
        before.notify?()
    }

    /// There will be no more news.
    func end() {
        let notify: (@Sendable () -> Void)? = state.withLock { state in
            state.isOver = true
            state.task?.cancel()
            defer { state.notify = nil }
            return state.notify
        }
        notify?()
    }

    /// The newest state takes the place of one that wasn't read.
    private func put(_ piece: [UInt8], isLast: Bool) {
        let notify: (@Sendable () -> Void)? = state.withLock { state in
            guard !state.isOver else { return nil }
            state.piece = piece
            state.isOver = isLast
            defer { state.notify = nil }
            return state.notify
        }
        notify?()
    }

    private func putIfEmpty(_ piece: [UInt8]) {
        if state.withLock({ $0.piece.isEmpty }) { put(piece, isLast: false) }
    }
}
