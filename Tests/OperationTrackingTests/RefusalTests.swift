import OperationTrackingTesting
import Testing

@testable import OperationTracking

/// What a runner asks a provider about a request before it makes an operation of it.
struct RefusalTests {
    private let history = InMemoryHistoryStore()
    private let tracker: OperationTracker
    private let runner: OperationRunner

    init() {
        tracker = OperationTracker(history: history)
        let providers = ProviderRegistry()
        providers.register(Place(name: "here"))
        runner = OperationRunner(tracker: tracker, providers: providers)
    }

    /// Waits for its cancellation at a place.
    private struct Place: OperationProvider {
        struct Request: Codable, Sendable { var number: Int }
        struct Refusal: Error {}

        static let operationType = OperationType("place")
        var name: String

        var traits: ProviderTraits { ProviderTraits(isUnique: true) }

        func description(of request: Request) -> String { "Wait" }

        func validate(_ request: Request) throws {
            if request.number == 0 { throw Refusal() }
            if request.number < 0 {
                throw OperationFailure(.invalidRequest, "A number is at least 1: take a larger one.")
            }
        }

        func uniqueScope(of request: Request) -> String { name }

        @concurrent
        func perform(_ request: Request, reporting handle: OperationHandle) async throws -> Int {
            _ = try await handle.waitForRequest()
            return request.number
        }
    }

    @Test func whatAProviderRefusesIsNeverAnOperation() async throws {
        let error = await #expect(throws: OperationError.self) {
            try await runner.submit(.init(number: -1), to: Place(name: "here"))
        }
        #expect(error?.code == .invalidValue)
        #expect(error?.message == "A number is at least 1: take a larger one.")
        await #expect(throws: OperationError.self) {
            try await runner.submit(json: Array(#"{"number": 0}"#.utf8), of: Place.operationType)
        }
        #expect(tracker.activeOperations.isEmpty)
        #expect(try await history.page(HistoryQuery(limit: 10)).records.isEmpty)
    }

    @Test func equalRequestsAtOtherPlacesAreOtherWork() async throws {
        let first = try await runner.submit(.init(number: 1), to: Place(name: "here"))
        let other = try await runner.submit(.init(number: 1), to: Place(name: "there"))
        let same = try await runner.submit(.init(number: 1), to: Place(name: "there"))
        #expect(first.id != other.id && !other.hasJoined)
        #expect(other.id == same.id && same.hasJoined)
        for operation in tracker.activeOperations { try await tracker.cancel(operation.id) }
    }
}
