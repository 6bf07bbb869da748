#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking

/// Each method is one expectation.
struct ProviderCheck<Provider: OperationProvider>: Sendable {
    let sample: ProviderSample<Provider>
    let makeSample: @Sendable () async throws -> ProviderSample<Provider>

    private var requests: [Provider.Request] { [sample.succeeding, sample.failing, sample.long].compactMap(\.self) }

    func namesItsWork() async throws {
        let type = Provider.operationType
        try expect("A type has the form of one.", OperationType(rawValue: type.rawValue), is: type)
        try expect("The type stays the same.", Provider.operationType, is: type)
        let other = try await makeSample().provider
        try expect("The unit stays the same.", other.unit, is: sample.provider.unit)
        try expect("The traits stay the same.", other.traits, is: sample.provider.traits)
        for request in requests {
            let text = sample.provider.description(of: request)
            try expect("A description of a request stays the same.", sample.provider.description(of: request), is: text)
            try expect(
                "What estimates depend on stays the same for a request.",
                other.estimateFeature(of: request),
                is: sample.provider.estimateFeature(of: request)
            )
            guard text.contains(where: { !$0.isWhitespace }) else {
                throw ConformanceFailure("A description says something.", found: "'\(text)'.")
            }
            guard text.utf8.count <= 1000 else {
                throw ConformanceFailure("A description has at most 1,000 bytes.", found: "\(text.utf8.count).")
            }
            guard !text.unicodeScalars.contains(where: \.movesText) else {
                throw ConformanceFailure("A description is one line that can be printed.", found: text.debugDescription)
            }
        }
    }

    func keepsItsRequests() throws {
        for request in requests {
            let json = try Self.json(request)
            guard json.count <= OperationRecord.payloadLimit else {
                throw ConformanceFailure(
                    "A request is at most \(OperationRecord.payloadLimit) bytes of JSON.",
                    found: "\(json.count)."
                )
            }
            let copy = try Self.decode(Provider.Request.self, json, "request")
            try expect("A request is the same JSON after it was kept.", try Self.text(copy), is: try Self.text(request))
            try expect(
                "A request that was kept has the same description.",
                sample.provider.description(of: copy),
                is: sample.provider.description(of: request)
            )
        }
    }

    func completesWithAResult() async throws {
        try await ProviderService(sample).run { service in
            let submitted = try await service.submit(sample.succeeding)
            let ended = try await service.waitForEnd(of: submitted.id)
            try expectCompleted(ended)
            try expect("A completed operation is at 100 %.", ended.progress.percent, is: 100)
            try await service.expectNothingLeftOver("when work has completed")
            let output = try await submitted.output
            guard let kept = try await service.history.record(submitted.id)?.result else {
                let size = try Self.json(output).count
                throw ConformanceFailure(
                    "A result is kept, as JSON of at most \(OperationRecord.payloadLimit) bytes.",
                    found: "it has \(size) bytes."
                )
            }
            let copy = try Self.decode(Provider.Output.self, kept, "result")
            try expect("A result is the same JSON after it was kept.", try Self.text(copy), is: try Self.text(output))
        }
        // Work that comes as JSON, as over HTTP, is the same work.
        let second = try await makeSample()
        try await ProviderService(second).run { service in
            let json = try Array(Self.json(second.succeeding))
            let submitted = try await service.runner.submit(json: json, of: Provider.operationType)
            try expectCompleted(try await service.waitForEnd(of: submitted.id))
        }
    }

    func reportsHonestAmounts() async throws {
        try await ProviderService(sample).run { service in
            let submitted = try await service.submit(sample.long ?? sample.succeeding)
            try await service.wait(for: "Work ends.") {
                try expectWithinTotal(service.tracker.reportedAmounts(of: submitted.id))
                return try service.operation(submitted.id).status.isTerminal
            }
            let ended = try service.operation(submitted.id)
            try expectCompleted(ended)
            try expect("Amounts are in the provider's unit.", ended.progress.unit, is: sample.provider.unit)
            let amounts = service.tracker.reportedAmounts(of: submitted.id)
            try expectWithinTotal(amounts)
            guard let amounts, amounts.total >= 0, ended.progress.unit != .fraction else { return }
            try expect("All that was to be done is done at the end.", amounts.completed, is: amounts.total)
        }
    }

    func failsWithACodeAndAReason() async throws {
        try await ProviderService(sample).run { service in
            guard let request = sample.failing else { return }
            let submitted = try await service.submit(request)
            let ended = try await service.waitForEnd(of: submitted.id)
            guard ended.status == .failed, let failure = ended.failure else {
                throw ConformanceFailure(
                    "The sample's `failing` request fails.",
                    found: ProviderService<Provider>.ending(ended)
                )
            }
            let code = failure.code.rawValue
            guard failure.code != .providerError, !code.isEmpty, code.utf8.allSatisfy(Self.isCodeByte) else {
                throw ConformanceFailure(
                    "A failure has a code of its own, of a-z, 0-9 and _: throw an OperationFailure.",
                    found: "\(failure)"
                )
            }
            guard failure.message.contains(" "), !failure.message.unicodeScalars.contains(where: \.movesText) else {
                throw ConformanceFailure(
                    "A failure says what happened, in a sentence that can be printed.",
                    found: failure.message.debugDescription
                )
            }
            try await service.expectNothingLeftOver("when work has failed")
        }
    }

    func refusesInvalidRequests() async throws {
        for request in sample.invalid {
            let service = ProviderService(sample)
            try await service.run { service in
                let reason: String
                do {
                    let submitted = try await service.submit(request)
                    throw ConformanceFailure(
                        "The sample's `invalid` requests are refused when they are submitted: see `validate`.",
                        found: "it became \(submitted.id)."
                    )
                } catch let error as OperationError where error.code == .invalidValue {
                    reason = error.message
                }
                guard reason.contains(" "), !reason.unicodeScalars.contains(where: \.movesText) else {
                    throw ConformanceFailure(
                        "A refusal says what is wrong, in a sentence that can be printed.",
                        found: reason.debugDescription
                    )
                }
                for secret in sample.secrets where !secret.isEmpty {
                    try expectNoSecret("A refusal", Array(reason.utf8))
                }
            }
            let kept = try await service.history.page(HistoryQuery(limit: 10)).records
            try expect("Nothing is kept of what is refused.", kept.count, is: 0)
        }
    }

    func keepsSecrets() async throws {
        for request in requests {
            let sample = try await makeSample()
            let service = ProviderService(sample)
            try await service.run { service in
                let submitted = try await service.submit(request)
                _ = try await service.waitForEnd(of: submitted.id)
            }
            for operation in service.seen.operations { try expectNoSecret("An event", operation.jsonBytes()) }
            for record in try await service.history.page(HistoryQuery(limit: 1000)).records {
                try expectNoSecret("What the history keeps", record.jsonBytes())
                try expectNoSecret("A resume state", record.resumeState ?? [])
            }
        }
    }
}

extension ProviderCheck {
    func expectCompleted(_ operation: BackgroundOperation) throws {
        guard operation.status == .completed else {
            throw ConformanceFailure(
                "A request that can be done is completed.",
                found: ProviderService<Provider>.ending(operation)
            )
        }
    }

    func expectSameResult(_ found: Provider.Output, _ wanted: Provider.Output, _ when: String) throws {
        let isSame = try sample.isSameResult?(found, wanted) ?? (Self.text(found) == Self.text(wanted))
        guard isSame else {
            throw ConformanceFailure(
                "The result is the same \(when).",
                found: "\(try Self.text(found)), not \(try Self.text(wanted))."
            )
        }
    }

    private func expectWithinTotal(_ amounts: (completed: Int64, total: Int64)?) throws {
        guard let amounts, amounts.total >= 0, amounts.completed > amounts.total else { return }
        throw ConformanceFailure(
            "What is done is never more than the total: set the total first.",
            found: "\(amounts.completed) of \(amounts.total)."
        )
    }

    private func expectNoSecret(_ what: String, _ json: [UInt8]) throws {
        let text = String(decoding: json, as: UTF8.self)
        for secret in sample.secrets where !secret.isEmpty {
            guard !text.contains(secret), !text.replacing("\\/", with: "/").contains(secret) else {
                throw ConformanceFailure("\(what) has no secret.", found: text.replacing(secret, with: "(a secret)"))
            }
        }
    }

    private static func isCodeByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
    }

    static func json(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try encoder.encode(value)
        } catch {
            throw ConformanceFailure("Requests and results can be written as JSON.", found: "\(error).")
        }
    }

    static func text(_ value: some Encodable) throws -> String { String(decoding: try json(value), as: UTF8.self) }

    static func decode<Value: Decodable>(
        _ type: Value.Type,
        _ json: some Sequence<UInt8>,
        _ what: String
    ) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(json))
        } catch {
            throw ConformanceFailure("A \(what) can be read from its own JSON.", found: "\(error).")
        }
    }
}
