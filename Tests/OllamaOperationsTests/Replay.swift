import Foundation
import OllamaOperations
import OperationTracking
import OperationTrackingTesting
import OperationTransfer
import Testing

/// A pull from a recording, watched from start to end.
struct Replay {
    let operation: BackgroundOperation
    let record: OperationRecord
    /// The phases in the order in which they were shown.
    let phases: [String]
    /// What was shown at each event.
    let percents: [Double]
    let messages: [String]
    let output: PullModelProvider.Output?

    /// - Parameter atItsOwnPace: whether lines come when they came, on a manual clock, or as fast as they are read.
    init(_ recording: Recording, atItsOwnPace: Bool) async throws {
        let clock = ManualClock()
        let history = InMemoryHistoryStore()
        let tracker = OperationTracker(history: history, clock: clock)
        let transport = ReplayTransport(recording: recording, clock: atItsOwnPace ? clock : nil)
        let provider = PullModelProvider(client: OllamaClient(transport: transport))
        let events = tracker.events()
        let running = try await OperationRunner(tracker: tracker).submit(.init(model: "library/demo"), to: provider)
        let id = running.id

        let client = Task {
            guard recording.head.client_stopped_at != nil else { return }
            await transport.reachedItsEnd()
            try await tracker.cancel(id)
        }
        let time = Task {
            while atItsOwnPace, tracker.operation(id)?.status.isActive == true {
                // The ticker, the watch for stalls and the stream: when all three sleep, all have done their work.
                if clock.sleeperCount == 3 { clock.advanceToNextSleeper() }
                await Task.yield()
            }
        }
        var phases: [String] = []
        var percents: [Double] = []
        var messages: [String] = []
        for await event in events {
            guard let operation = event.operation else { continue }
            if let phase = operation.phase, phases.last != phase { phases.append(phase) }
            percents.append(operation.progress.percent)
            if let message = operation.message { messages.append(message) }
            if case .finished = event.kind { break }
        }
        _ = await (client.result, time.value)
        output = try? await running.output
        operation = try #require(tracker.operation(id))
        record = try #require(try await history.record(id))
        self.phases = phases
        self.percents = percents
        self.messages = messages
    }
}
