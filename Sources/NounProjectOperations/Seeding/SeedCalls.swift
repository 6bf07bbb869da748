import OperationTracking

/// Makes the calls of a run when the quota allows them, and says how much of it is left.
struct SeedCalls {
    let budget: CallBudget
    let handle: OperationHandle
    /// How many calls are left today by our own count; `nil` before the first.
    private(set) var leftToday: Int?
    /// What the API says that the key has used; `nil` before it says so.
    private var usage: NounProjectUsage?

    /// How often in a row the API may ask us to wait, and for how long at most, before that is given up.
    private static let maximumWaits = 4
    private static let longestWait = Duration.seconds(900)
    /// What is waited when the API doesn't say how long: by then a minute's quota is full again.
    private static let usualWait = Duration.seconds(60)

    init(budget: CallBudget, handle: OperationHandle) {
        self.budget = budget
        self.handle = handle
    }

    /// The quota left, for people.
    var summary: String? {
        guard let leftToday else { return nil }
        guard let (window, quota) = usage?.tightest, quota.remaining < leftToday else {
            return "\(leftToday) calls left today"
        }
        return "\(quota.remaining) calls left of the key's \(window.rawValue) quota"
    }

    mutating func note(_ usage: NounProjectUsage) {
        if !usage.quotas.isEmpty { self.usage = usage }
    }

    /// Makes a call, as soon as it may be made.
    ///
    /// - Parameters:
    ///   - phase: what the call is for.
    ///   - isCounted: whether it is one of the API's, which the quota is for.
    ///   - message: more of that, made when the call is.
    mutating func call<Answer: Sendable>(
        _ phase: String,
        isCounted: Bool = true,
        _ message: (SeedCalls) -> String,
        _ body: () async throws -> Answer
    ) async throws -> Answer {
        var refusals = 0
        while true {
            if isCounted { try await takeCall() } else { try await handle.checkpoint() }
            handle.setPhase(phase, message: message(self))
            do {
                return try await body()
            } catch let failure as OperationFailure where failure.code == .rateLimited || failure.code == .notPermitted
            {
                refusals += 1
                let now = handle.clock.wallMilliseconds
                if let (window, quota) = usage?.tightest, quota.remaining == 0 {
                    throw NounProjectFailure.exhausted(quota, window, at: now)
                }
                let pause = failure.retryAfter ?? Self.usualWait
                guard failure.code == .rateLimited, refusals < Self.maximumWaits, pause <= Self.longestWait else {
                    throw failure
                }
                try await wait(pause.nanoseconds / 1_000_000, "The Noun Project asks to be called less often.")
            }
        }
    }

    /// Tells the estimate of the remaining time when, by the quota, the last of so many calls can be made.
    func announce(callsToCome calls: Int) async throws {
        guard calls > 0 else { return handle.setEarliestEnd(after: nil) }
        switch try await budget.outlook(calls: calls, at: handle.clock.wallMilliseconds) {
        case .wait(let milliseconds): handle.setEarliestEnd(after: .milliseconds(milliseconds))
        // It can't be done today, and then it is not waited for.
        case .go, .exhausted: handle.setEarliestEnd(after: nil)
        }
    }

    private mutating func takeCall() async throws {
        while true {
            try await handle.checkpoint()
            let now = handle.clock.wallMilliseconds
            let (verdict, leftToday) = try await budget.take(at: now)
            self.leftToday = leftToday
            switch verdict {
            case .go:
                return
            case .wait(let milliseconds):
                let reason = "\(budget.limits.perMinute) calls a minute are allowed, \(leftToday) are left today."
                try await wait(milliseconds, reason)
            case .exhausted(let end):
                throw NounProjectFailure.exhausted("\(budget.limits.perDay) calls of today", until: end, at: now)
            }
        }
    }

    /// Waits, and follows wishes that come meanwhile.
    private func wait(_ milliseconds: Int64, _ reason: String) async throws {
        let (handle, end) = (handle, handle.clock.wallMilliseconds + milliseconds)
        handle.setPhase(
            "waiting for quota",
            message: "The next call comes at \(CalendarMoment.timeOfDay(milliseconds: end)) UTC. \(reason)"
        )
        while case let rest = end - handle.clock.wallMilliseconds, rest > 0 {
            try await handle.waitForRequest(within: .milliseconds(rest))
            try await handle.checkpoint()
        }
    }
}
