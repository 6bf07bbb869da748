/// What is expected of every provider, each by its name.
public enum ProviderExpectation: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// Its type, unit and traits are the same whenever they are asked for, and a request's description is one line of at most
    /// 1,000 bytes that can be printed.
    case namesItsWork
    /// A request is the same after it was kept as JSON, of at most `OperationRecord.payloadLimit` bytes.
    case keepsItsRequests
    /// A request that can be done ends `completed`, at 100 %, with a result that is the same after it was kept as JSON.
    case completesWithAResult
    /// Amounts are in the provider's unit, never go beyond the total, and are the total at the end, unless there is no total or
    /// the unit is `fraction`.
    case reportsHonestAmounts
    /// A request that can't be done ends `failed`, with a code other than `provider_error`, a reason, and nothing left over.
    case failsWithACodeAndAReason
    /// A request that can't be carried out as given is refused when it is submitted, with a reason, and nothing is kept of it.
    case refusesInvalidRequests
    /// Cancelled while it waits, it never begins.
    case isCancelledBeforeItBegins
    /// Cancelled right when it begins, it ends `cancelled` with nothing left over.
    case isCancelledAtOnce
    /// Cancelled in the middle, it ends `cancelled` with nothing left over.
    case isCancelledInTheMiddle
    /// Paused in the middle, it stands still until it is resumed, and comes to the same result. One that can't pause refuses.
    case pausesAsItSays
    /// Cancelled while it is paused, or held back where it can't pause, it ends `cancelled` with nothing left over.
    case isCancelledWhilePaused
    /// Paused, or waiting where it can't pause, when its service ended, it is taken up by the next and comes to the same result.
    case goesOnAfterARestart
    /// In progress when its service ended, it stops, and a new request comes to the same result.
    case beginsAgainAfterAnInterruption
    /// Secrets are in no description, event, failure, request, result or resume state.
    case keepsSecrets

    /// The expectation's name.
    public var description: String { rawValue }
}

extension ProviderExpectation {
    /// What a sample lacks to be held to this; `nil` when nothing.
    func missing<Provider>(in sample: ProviderSample<Provider>) -> String? {
        switch self {
        case .namesItsWork, .keepsItsRequests, .completesWithAResult, .reportsHonestAmounts, .isCancelledBeforeItBegins:
            nil
        case .failsWithACodeAndAReason:
            sample.failing == nil ? "a request that fails (`failing`)" : nil
        case .refusesInvalidRequests:
            sample.invalid.isEmpty ? "a request that can't be carried out as given (`invalid`)" : nil
        case .isCancelledAtOnce, .isCancelledInTheMiddle, .pausesAsItSays, .isCancelledWhilePaused,
            .goesOnAfterARestart,
            .beginsAgainAfterAnInterruption:
            sample.long == nil ? "a request that takes a while (`long`)" : nil
        case .keepsSecrets:
            sample.secrets.allSatisfy(\.isEmpty) ? "a secret that it knows (`secrets`)" : nil
        }
    }
}
