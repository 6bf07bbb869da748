import OperationTracking
import Synchronization

/// A service that runs one provider, for the time of a check.
struct ProviderService<Provider: OperationProvider>: Sendable {
    let sample: ProviderSample<Provider>
    let history: RestartableHistory
    let tracker: OperationTracker
    let runner: OperationRunner
    let seen = EventLog()

    init(
        _ sample: ProviderSample<Provider>,
        history: RestartableHistory = RestartableHistory(),
        maximumRunning: Int = 4
    ) {
        self.sample = sample
        self.history = history
        tracker = OperationTracker(history: history, clock: sample.clock)
        let providers = ProviderRegistry()
        providers.register(sample.provider)
        var configuration = OperationRunner.Configuration()
        configuration.maximumRunning = maximumRunning
        runner = OperationRunner(tracker: tracker, providers: providers, configuration: configuration)
        let (events, seen) = (tracker.events(), seen)
        Task {
            for await event in events { seen.append(event) }
            seen.end()
        }
    }

    /// Everything that was told, until the tracker is closed.
    final class EventLog: Sendable {
        private let state = Mutex<[OperationEvent]>([])
        private let isOver = Mutex(false)

        func append(_ event: OperationEvent) { state.withLock { $0.append(event) } }
        func end() { isOver.withLock { $0 = true } }
        var operations: [BackgroundOperation] { state.withLock { $0.compactMap(\.operation) } }
        /// Whether the tracker has been closed.
        var hasEnded: Bool { isOver.withLock(\.self) }
    }

    /// Runs `body`, then stops whatever still runs.
    func run<Value>(_ body: (ProviderService) async throws -> Value) async throws -> Value {
        let result: Result<Value, any Error>
        do { result = .success(try await body(self)) } catch { result = .failure(error) }
        for operation in tracker.activeOperations { try? await tracker.cancel(operation.id) }
        // What doesn't stop has been found out about already, or is no matter of this check.
        // What a closed tracker has left to the next one stays as it is.
        try? await wait(for: "", until: { tracker.activeOperations.isEmpty || seen.hasEnded })
        await close()
        return try result.get()
    }

    /// Closes the tracker, and moves a manual clock meanwhile: closing waits for work that doesn't stop.
    func close() async {
        let time = Task { while !Task.isCancelled { await passTime() } }
        await tracker.close()
        time.cancel()
    }

    func submit(_ request: Provider.Request) async throws -> SubmittedOperation<Provider.Output> {
        try await runner.submit(request, to: sample.provider)
    }

    /// Submits a request and waits until its work is in the middle.
    func begin(_ request: Provider.Request?) async throws -> SubmittedOperation<Provider.Output> {
        guard let request else { throw ConformanceFailure("The sample has the request.", found: "none.") }
        let submitted = try await submit(request)
        try await waitForMiddle(of: submitted.id)
        return submitted
    }

    func waitForMiddle(of id: OperationID) async throws {
        try await wait(for: "The sample's `long` request is under way (`isUnderWay`).") {
            let operation = try operation(id)
            guard operation.status.isActive else {
                throw Self.missed("The sample's `long` request can be met in the middle (`isUnderWay`).", operation)
            }
            return operation.status == .inProgress && sample.isUnderWay(operation)
        }
    }

    func waitForEnd(of id: OperationID, _ what: String = "Work ends.") async throws -> BackgroundOperation {
        try await wait(for: what) { try operation(id).status.isTerminal }
        return try operation(id)
    }

    func operation(_ id: OperationID) throws -> BackgroundOperation {
        guard let operation = tracker.operation(id) else {
            throw ConformanceFailure("An operation stays known to its tracker.", found: "\(id) is not.")
        }
        return operation
    }

    /// Waits, and moves a manual clock meanwhile.
    func wait(for what: String, until condition: () async throws -> Bool) async throws {
        let start = ContinuousClock.now
        while try await !condition() {
            guard ContinuousClock.now - start < sample.patience else {
                throw ConformanceFailure(what, found: "not within \(sample.patience).")
            }
            await passTime()
        }
    }

    func passTime() async {
        guard let clock = sample.clock as? ManualClock else { return await briefPause() }
        await clock.advance(by: .milliseconds(250))
    }

    func expectNothingLeftOver(_ when: String) async throws {
        let left = try await sample.leftovers()
        try expect("Nothing is left over \(when).", left, is: [])
    }

    /// What it means that work ended before it was met, or before it followed a wish.
    static func missed(_ expectation: String, _ operation: BackgroundOperation) -> any Error {
        let failure = ConformanceFailure(expectation, found: "it ended \(ending(operation)) before.")
        return operation.status == .completed ? MissedMiddle(failure: failure) : failure
    }

    static func ending(_ operation: BackgroundOperation) -> String {
        operation.failure.map { "\(operation.status.rawValue) (\($0))" } ?? operation.status.rawValue
    }
}
