#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import Synchronization

/// The providers of a service, by the type of their operations: what can be started by name, and taken up again after a
/// restart.
public final class ProviderRegistry: Sendable {
    private struct State {
        var providers: [OperationType: AnyProvider] = [:]
        var missing: [OperationType: String] = [:]
    }

    private let state = Mutex(State())

    /// Makes an empty registry.
    public init() {}

    /// Adds a provider. One that was registered for the same type before is replaced.
    public func register(_ provider: some OperationProvider) {
        let erased = AnyProvider(provider)
        state.withLock { state in
            state.providers[erased.type] = erased
            state.missing[erased.type] = nil
        }
    }

    /// Says why there is no provider for a type that people may expect, such as one without its keys. Registering one takes it back.
    ///
    /// - Parameters:
    ///   - type: the type.
    ///   - reason: what is missing and what to do about it, in a sentence; no key or token.
    public func setMissing(_ type: OperationType, because reason: String) {
        state.withLock { state in
            if state.providers[type] == nil { state.missing[type] = reason }
        }
    }

    /// The types that there are providers for, in alphabetical order.
    public var types: [OperationType] { state.withLock { $0.providers.keys.sorted() } }

    /// The types without a provider of which it was said why, with what was said; see ``setMissing(_:because:)``.
    public var missing: [OperationType: String] { state.withLock { $0.missing } }

    /// What the provider of a type can do; `nil` when there is none.
    public func traits(of type: OperationType) -> ProviderTraits? { self[type]?.traits }

    /// What the provider of a type can be told about, and a request as it could be; `nil` when there is none.
    package func description(
        of type: OperationType
    ) -> (traits: ProviderTraits, unit: OperationUnit, exampleRequest: [UInt8]?)? {
        self[type].map { ($0.traits, $0.unit, $0.exampleRequest) }
    }

    subscript(type: OperationType) -> AnyProvider? { state.withLock { $0.providers[type] } }
}

/// A provider whose request and output are JSON.
struct AnyProvider: Sendable {
    let type: OperationType
    let traits: ProviderTraits
    let unit: OperationUnit
    /// A request as it could be, as JSON.
    let exampleRequest: [UInt8]?
    /// Reads a request and makes work of it.
    let job: @Sendable (_ request: [UInt8]) throws(OperationError) -> ProviderJob

    init<Provider: OperationProvider>(_ provider: Provider) {
        type = Provider.operationType
        traits = provider.traits
        unit = provider.unit
        exampleRequest = provider.exampleRequest.flatMap { try? ProviderJob.json(of: $0) }
        job = { json throws(OperationError) in
            let request: Provider.Request
            do {
                request = try JSONDecoder().decode(Provider.Request.self, from: Data(json))
            } catch {
                throw OperationError(
                    .invalidValue,
                    "The request is not one for \(Provider.operationType): \(Self.explanation(of: error))."
                )
            }
            // Written again, so that equal requests are equal bytes, whoever wrote the first ones.
            return try ProviderJob(request, provider: provider)
        }
    }
}

extension AnyProvider {
    /// What a decoder found wrong, and where.
    private static func explanation(of error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        let (context, what): (DecodingError.Context, String) =
            switch error {
            case .keyNotFound(let key, let context): (context, "\(key.stringValue) is missing")
            case .valueNotFound(_, let context): (context, "a value is null")
            case .typeMismatch(_, let context): (context, "a value has the wrong type")
            case .dataCorrupted(let context): (context, context.debugDescription)
            @unknown default: (DecodingError.Context(codingPath: [], debugDescription: ""), "\(error)")
            }
        let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
        return path.isEmpty ? what : "\(what) at \(path.joined(separator: "."))"
    }
}

/// One request with everything that is needed to run it.
struct ProviderJob: Sendable {
    /// What came out: as it is for who waits, and as JSON for the history.
    struct Output: Sendable {
        let value: any Sendable
        let json: [UInt8]?
    }

    let type: OperationType
    let traits: ProviderTraits
    let unit: OperationUnit
    let description: String
    /// What the provider says now that it needs: less, when a part of it is there already.
    let demand: @Sendable () -> ResourceDemand
    /// What decides how long the work takes beside its type and size; `nil` for nothing.
    let feature: String?
    /// The request, keys sorted: equal requests are equal bytes.
    let request: [UInt8]
    /// Refuses the request when it can't be carried out as given.
    let validate: @Sendable () throws(OperationError) -> Void
    let perform: @Sendable (OperationHandle) async throws -> Output
    /// Reads what came out as a history keeps it.
    let output: @Sendable (_ json: [UInt8]) throws -> any Sendable
    private let scope: String

    /// The most bytes that are kept of a feature.
    private static let featureLimit = 64

    private init<Provider: OperationProvider>(_ request: Provider.Request, json: [UInt8], provider: Provider) {
        type = Provider.operationType
        traits = provider.traits
        unit = provider.unit
        description = provider.description(of: request)
        demand = { provider.demand(of: request) }
        let feature = provider.estimateFeature(of: request).bounded(toBytes: Self.featureLimit)
        self.feature = feature.isEmpty ? nil : feature
        self.request = json
        scope = traits.isUnique ? provider.uniqueScope(of: request) : ""
        validate = { () throws(OperationError) in
            do {
                try provider.validate(request)
            } catch {
                throw OperationError(.invalidValue, OperationFailure(recording: error).message)
            }
        }
        perform = { handle in
            let output = try await provider.perform(request, reporting: handle)
            let encoded = try? JSONEncoder().encode(output)
            return Output(value: output, json: encoded.map(Array.init))
        }
        output = { try JSONDecoder().decode(Provider.Output.self, from: Data($0)) }
    }

    init<Provider: OperationProvider>(_ request: Provider.Request, provider: Provider) throws(OperationError) {
        let json = try Self.json(of: request)
        guard json.count <= OperationRecord.payloadLimit else {
            throw OperationError(
                .invalidValue,
                "A request has at most \(OperationRecord.payloadLimit) bytes of JSON, this one has \(json.count): ask for less at once."
            )
        }
        self.init(request, json: json, provider: provider)
    }

    /// A request as JSON, keys sorted.
    static func json(of request: some Encodable) throws(OperationError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try Array(encoder.encode(request))
        } catch {
            throw OperationError(.invalidValue, "The request can't be written as JSON: \(error).")
        }
    }

    /// Whether its amounts are bytes on the file system whose space is looked after.
    var countsDiskSpace: Bool { traits.writesToDataDirectory && unit == .bytes }

    /// The same for equal requests, of equal scope, of providers whose active requests are unique; `nil` for others.
    var uniqueKey: String? {
        guard traits.isUnique else { return nil }
        // A request is JSON, so what stands behind its end can't be taken for a part of it.
        let key = "\(type.rawValue) \(String(decoding: request, as: UTF8.self))"
        return scope.isEmpty ? key : "\(key) \(scope)"
    }
}
