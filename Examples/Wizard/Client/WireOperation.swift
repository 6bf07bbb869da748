import OperationTracking

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// An operation as a server sends it.
///
/// How much was there at its start isn't sent, so all that is done counts as that: no mean rate is told rather than a wrong one.
struct WireOperation: Decodable {
    let operation: BackgroundOperation

    private enum Key: String, CodingKey {
        case id = "operationId"
        case type = "operationType"
        case description, status, priority, phase, message, attempt, pid, node, error, unit, progress
        case createdAt, startedAt, updatedAt, finishedAt, pendingRequest, errorCode, completedUnits, totalUnits
        case parentID = "parentId"
        case resources = "resourceImpact"
        case activeSeconds = "uptimeSeconds"
        case rewoundMegabytes = "rewoundMb"
        case expected = "etaSeconds"
        case low = "etaLowSeconds"
        case high = "etaHighSeconds"
        case basis = "etaBasis"
        case samples = "etaSamples"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        var operation = BackgroundOperation(
            id: try values.decode(OperationID.self, forKey: .id),
            type: try values.decode(OperationType.self, forKey: .type),
            description: try values.decode(String.self, forKey: .description),
            status: try values.decode(OperationStatus.self, forKey: .status),
            createdAt: try Self.moment(values, .createdAt) ?? .distantPast
        )
        operation.pendingRequest = try values.decodeIfPresent(PendingRequest.self, forKey: .pendingRequest)
        operation.priority = try values.decode(OperationPriority.self, forKey: .priority)
        operation.parentID = try values.decodeIfPresent(OperationID.self, forKey: .parentID)
        operation.phase = try values.decodeIfPresent(String.self, forKey: .phase)
        operation.message = try values.decodeIfPresent(String.self, forKey: .message)
        operation.attempt = try values.decode(Int.self, forKey: .attempt)
        operation.progress = try Self.progress(values)
        operation.remaining = try Self.remaining(values)
        operation.resources = try values.decode(Resources.self, forKey: .resources).impact
        operation.pid = try values.decodeIfPresent(Int32.self, forKey: .pid)
        if let message = try values.decodeIfPresent(String.self, forKey: .error) {
            let code = try values.decodeIfPresent(OperationFailure.Code.self, forKey: .errorCode)
            operation.failure = OperationFailure(code ?? .init(rawValue: "unknown"), message)
        }
        operation.startedAt = try Self.moment(values, .startedAt)
        operation.updatedAt = try Self.moment(values, .updatedAt) ?? operation.createdAt
        operation.finishedAt = try Self.moment(values, .finishedAt)
        operation.activeSeconds = try values.decodeIfPresent(Double.self, forKey: .activeSeconds)
        operation.node = try values.decodeIfPresent(String.self, forKey: .node)
        self.operation = operation
    }

    private static func progress(_ values: KeyedDecodingContainer<Key>) throws -> OperationProgress {
        let completed = try values.decode(Int64.self, forKey: .completedUnits)
        let rewound = try values.decodeIfPresent(Double.self, forKey: .rewoundMegabytes) ?? 0
        return OperationProgress(
            percent: try values.decode(Double.self, forKey: .progress),
            completedUnits: completed,
            totalUnits: try values.decodeIfPresent(Int64.self, forKey: .totalUnits),
            rewoundUnits: Int64(rewound * bytesPerMegabyte),
            presentUnits: completed,
            unit: try values.decode(OperationUnit.self, forKey: .unit)
        )
    }

    private static func remaining(_ values: KeyedDecodingContainer<Key>) throws -> RemainingTime? {
        guard let expected = try values.decodeIfPresent(Double.self, forKey: .expected) else { return nil }
        return RemainingTime(
            expected: expected,
            low: try values.decodeIfPresent(Double.self, forKey: .low) ?? expected,
            high: try values.decodeIfPresent(Double.self, forKey: .high) ?? expected,
            basis: try values.decodeIfPresent(RemainingTime.Basis.self, forKey: .basis) ?? .rate,
            samples: try values.decodeIfPresent(Int.self, forKey: .samples) ?? 0
        )
    }

    private static func moment(_ values: KeyedDecodingContainer<Key>, _ key: Key) throws -> Date? {
        guard let text = try values.decodeIfPresent(String.self, forKey: key) else { return nil }
        return try Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text)
    }

    private struct Resources: Decodable {
        let cpuPercent: Double?
        let memoryMb: Double?
        let networkMbps: Double?

        var impact: ResourceImpact {
            ResourceImpact(
                cpuPercent: cpuPercent,
                memoryBytes: memoryMb.map { Int64($0 * bytesPerMegabyte) },
                networkBitsPerSecond: networkMbps.map { $0 * 1_000_000 }
            )
        }
    }
}

/// Reads what a server sends, whose keys are in snake_case.
enum Wire {
    static func read<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(bytes))
    }
}

/// Bytes in one MB of the wire form.
private let bytesPerMegabyte = 1_048_576.0
