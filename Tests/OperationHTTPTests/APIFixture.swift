#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking
import OperationTrackingTesting
import Testing

@testable import OperationHTTP

/// An API on a clock that stands still, asked by a trusted local user.
struct APIFixture {
    let clock = ManualClock()
    let history: InMemoryHistoryStore
    let tracker: OperationTracker
    let api: OperationAPI

    static let user = APICaller(isSameUser: true, address: "127.0.0.1")
    static let stranger = APICaller(isSameUser: false, address: "127.0.0.1")
    static let host = APIHeader("Host", "127.0.0.1:8765")
    static let root = "/api/ports/operations"

    init(
        history: InMemoryHistoryStore = InMemoryHistoryStore(),
        _ configure: (inout OperationAPI.Configuration) -> Void = { _ in },
        makeRunner: (OperationTracker) -> OperationRunner? = { _ in nil }
    ) {
        self.history = history
        tracker = OperationTracker(history: history, clock: clock)
        var configuration = OperationAPI.Configuration()
        configuration.run = "run"
        configure(&configuration)
        api = OperationAPI(tracker: tracker, runner: makeRunner(tracker), configuration: configuration)
    }

    static func request(
        _ method: String,
        _ target: String,
        json: String? = nil,
        headers: [APIHeader] = [],
        caller: APICaller = user
    ) -> APIRequest {
        var request = APIRequest(method: method, target: target, headers: [host] + headers, caller: caller)
        if let json {
            request.headers.append(APIHeader("Content-Type", "application/json"))
            request.body = Array(json.utf8)
        }
        return request
    }

    func ask(
        _ method: String,
        _ target: String,
        json: String? = nil,
        headers: [APIHeader] = [],
        caller: APICaller = user
    ) async -> APIResponse {
        await api.respond(to: Self.request(method, target, json: json, headers: headers, caller: caller))
    }

    /// Starts an operation over the API, and gives its id.
    func start(_ query: String = "operation_type=download&description=a") async throws -> String {
        let answer = await ask("POST", Self.root + "/start?" + query)
        return try #require(answer.text("operation_id"))
    }
}

extension APIAnswer {
    /// The answer that was there at once.
    var response: APIResponse? {
        if case .now(let response) = self { response } else { nil }
    }
}

extension APIResponse {
    var bytes: [UInt8] {
        if case .bytes(let bytes) = body { bytes } else { [] }
    }

    var stream: APIStream? {
        if case .stream(let stream) = body { stream } else { nil }
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The body as JSON; `null` when it isn't any.
    var json: JSONValue { (try? JSONReader.read(bytes)) ?? .null }

    func text(_ key: String) -> String? { json[key]?.text }
    func number(_ key: String) -> Double? { json[key]?.number }
}

extension JSONValue {
    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    var truth: Bool? {
        if case .bool(let truth) = self { truth } else { nil }
    }

    var elements: [JSONValue] {
        if case .array(let elements) = self { elements } else { [] }
    }

    var keys: [String] {
        if case .object(let members) = self { members.map(\.key) } else { [] }
    }

    var isNull: Bool {
        if case .null = self { true } else { false }
    }
}
