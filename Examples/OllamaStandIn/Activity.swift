import Synchronization

/// What a test wants to know about the stand-in's traffic.
final class Activity: Sendable {
    private struct Counts {
        var requestsSeen: [String] = []
        var pullsInFlight = 0
    }

    static let requestsRemembered = 1_000
    private let counts = Mutex(Counts())

    var requestsSeen: [String] { counts.withLock { $0.requestsSeen } }
    var pullsInFlight: Int { counts.withLock { $0.pullsInFlight } }

    func sawRequest(_ text: String) {
        counts.withLock { counts in
            if counts.requestsSeen.count == Self.requestsRemembered { counts.requestsSeen.removeFirst() }
            counts.requestsSeen.append(text)
        }
    }

    func pullBegan() {
        counts.withLock { $0.pullsInFlight += 1 }
    }

    func pullEnded() {
        counts.withLock { $0.pullsInFlight -= 1 }
    }
}
