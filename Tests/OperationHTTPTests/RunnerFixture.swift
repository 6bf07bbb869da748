import OperationTracking
import OperationTrackingTesting

@testable import OperationHTTP

/// An API with a runner whose provider does what a test says, one at a time.
struct RunnerFixture {
    let base: APIFixture
    let provider: ScriptedProvider
    let runner: OperationRunner

    var tracker: OperationTracker { base.tracker }

    init(
        mayBeStartedOverHTTP: Bool = true,
        maximumQueued: Int = 10,
        isThrottleable: Bool = false,
        _ configure: (inout OperationAPI.Configuration) -> Void = { _ in }
    ) {
        var traits = ProviderTraits(pausing: .inPlace, mayBeStartedOverHTTP: mayBeStartedOverHTTP, isUnique: true)
        traits.isThrottleable = isThrottleable
        let provider = ScriptedProvider(traits: traits)
        var made: OperationRunner?
        base = APIFixture(
            configure,
            makeRunner: { tracker in
                var configuration = OperationRunner.Configuration()
                configuration.maximumRunning = 1
                configuration.maximumQueued = maximumQueued
                let runner = OperationRunner(tracker: tracker, configuration: configuration)
                runner.providers.register(provider)
                runner.providers.register(PullStandIn(scripted: provider))
                made = runner
                return runner
            }
        )
        self.provider = provider
        runner = made!
    }

    func ask(_ method: String, _ target: String, json: String? = nil) async -> APIResponse {
        await base.ask(method, target, json: json)
    }
}

/// Stands in for the provider of model pulls: it reports, and ends as a test says.
struct PullStandIn: OperationProvider {
    struct Request: Codable, Sendable {
        var model: String
    }

    struct Output: Codable, Sendable {
        var added: [String]
        var root: String
    }

    static let operationType = OperationType.pullModel
    let scripted: ScriptedProvider

    var traits: ProviderTraits { ProviderTraits(mayBeStartedOverHTTP: true, isUnique: true) }
    var unit: OperationUnit { .bytes }
    func description(of request: Request) -> String { "Pull \(request.model)" }

    @concurrent
    func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Output {
        handle.setTotal(100)
        handle.setPhase("downloading", message: "half of it")
        handle.update(completed: 50)
        _ = try await scripted.perform(.init(request.model), reporting: handle)
        return Output(added: ["x", "y"], root: "/r")
    }
}
