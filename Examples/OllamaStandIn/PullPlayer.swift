/// Plays a pull's events at their time, on the thread of the connection that asked.
final class PullPlayer {
    enum Step {
        case bytes([UInt8])
        case end
        /// The connection has to be closed without an end: a cut, the client has left, or the stand-in stops.
        case broken
    }

    private let name: ModelName
    private var events: any PullEventStream
    private let store: ModelStore
    private let activity: Activity
    private let client: ClientWatch
    private let start = ContinuousClock.now
    private var isInFlight = true

    init(of name: ModelName, _ events: any PullEventStream, store: ModelStore, activity: Activity, client: ClientWatch)
    {
        self.name = name
        self.events = events
        self.store = store
        self.activity = activity
        self.client = client
        activity.pullBegan()
    }

    /// Where a client leaves while a line is being sent, no step is asked for any more.
    deinit {
        leaveFlight()
    }

    /// Waits for the next event. What it has brought is recorded before it is sent, and a pull that ends is counted
    /// out before the client can see the end, so that a client may look at once.
    func next() -> Step {
        guard let event = events.next(now: start.duration(to: .now).nanoseconds) else {
            leaveFlight()
            return .end
        }
        guard client.wait(until: start.advanced(by: .nanoseconds(event.at))) else {
            leaveFlight()
            return .broken
        }
        store.record(events, of: name)
        switch event.action {
        case .send(let bytes):
            return .bytes(bytes)
        case .cut:
            leaveFlight()
            return .broken
        }
    }

    private func leaveFlight() {
        if isInFlight { activity.pullEnded() }
        isInFlight = false
    }
}
