public import OperationTracking

/// What every `OperationProvider` must do, as checks that need no test framework and run through the real tracker and runner.
///
/// ```swift
/// func sample() throws -> ProviderSample<MyProvider> {
///     var sample = ProviderSample(MyProvider(key: "s3cret"), succeeding: .init("small"), failing: .init("no such thing"), long: .init("large"))
///     sample.secrets = ["s3cret"]
///     return sample
/// }
///
/// @Test(arguments: ProviderExpectation.allCases)
/// func isAProvider(_ expectation: ProviderExpectation) async throws {
///     try await ProviderConformance.check(expectation) { try sample() }
/// }
/// ```
public enum ProviderConformance {
    /// Checks one expectation.
    ///
    /// - Parameters:
    ///   - expectation: what is expected.
    ///   - makeSample: makes the provider and its requests; it is called at least once.
    /// - Throws: ``ConformanceFailure`` when the expectation isn't met, or the sample lacks what it takes to tell.
    public static func check<Provider: OperationProvider>(
        _ expectation: ProviderExpectation,
        of makeSample: @escaping @Sendable () async throws -> ProviderSample<Provider>
    ) async throws {
        // On a busy machine work may be over before it could be met in the middle.
        for _ in 1..<10 {
            do {
                return try await checkOnce(expectation, of: makeSample)
            } catch is MissedMiddle {
                continue
            }
        }
        do {
            try await checkOnce(expectation, of: makeSample)
        } catch let missed as MissedMiddle {
            throw missed.failure
        }
    }

    private static func checkOnce<Provider: OperationProvider>(
        _ expectation: ProviderExpectation,
        of makeSample: @escaping @Sendable () async throws -> ProviderSample<Provider>
    ) async throws {
        let sample = try await makeSample()
        if let missing = expectation.missing(in: sample) {
            throw ConformanceFailure("A sample for '\(expectation)' has \(missing).", found: "none.")
        }
        let check = ProviderCheck(sample: sample, makeSample: makeSample)
        switch expectation {
        case .namesItsWork: try await check.namesItsWork()
        case .keepsItsRequests: try check.keepsItsRequests()
        case .completesWithAResult: try await check.completesWithAResult()
        case .reportsHonestAmounts: try await check.reportsHonestAmounts()
        case .failsWithACodeAndAReason: try await check.failsWithACodeAndAReason()
        case .refusesInvalidRequests: try await check.refusesInvalidRequests()
        case .isCancelledBeforeItBegins: try await check.isCancelledBeforeItBegins()
        case .isCancelledAtOnce: try await check.isCancelledAtOnce()
        case .isCancelledInTheMiddle: try await check.isCancelledInTheMiddle()
        case .pausesAsItSays: try await check.pausesAsItSays()
        case .isCancelledWhilePaused: try await check.isCancelledWhilePaused()
        case .goesOnAfterARestart: try await check.goesOnAfterARestart()
        case .beginsAgainAfterAnInterruption: try await check.beginsAgainAfterAnInterruption()
        case .keepsSecrets: try await check.keepsSecrets()
        }
    }

    /// Checks every expectation that the sample has enough for.
    ///
    /// - Parameter makeSample: makes the provider and its requests, anew for every expectation.
    /// - Returns: the expectations that were left out, because the sample has no failing, invalid or long request, or no
    ///   secret.
    /// - Throws: ``ConformanceFailure`` for the first expectation that isn't met.
    @discardableResult
    public static func check<Provider: OperationProvider>(
        _ makeSample: @escaping @Sendable () async throws -> ProviderSample<Provider>
    ) async throws -> [ProviderExpectation] {
        let sample = try await makeSample()
        let leftOut = ProviderExpectation.allCases.filter { $0.missing(in: sample) != nil }
        for expectation in ProviderExpectation.allCases where !leftOut.contains(expectation) {
            try await check(expectation, of: makeSample)
        }
        return leftOut
    }
}

/// Work was completed before it followed a wish: either it was too quick, or it doesn't follow wishes.
struct MissedMiddle: Error {
    let failure: ConformanceFailure
}
