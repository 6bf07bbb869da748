#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking

/// Records for the check. Moments are whole milliseconds, since stores keep no more than that.
enum Sample {
    static let epoch = Date(milliseconds: 1_700_000_000_000)

    static func id(_ name: String) -> OperationID {
        guard let id = OperationID(rawValue: "op_check-\(name)") else { preconditionFailure("'\(name)' makes no id") }
        return id
    }

    /// A record in progress.
    static func record(_ name: String, type: StaticString, at milliseconds: Int64) -> OperationRecord {
        let createdAt = Date(milliseconds: epoch.milliseconds + milliseconds)
        var operation = BackgroundOperation(
            id: id(name),
            type: OperationType(type),
            description: "Check \(name)",
            status: .inProgress,
            createdAt: createdAt
        )
        operation.startedAt = createdAt
        return OperationRecord(operation: operation)
    }

    static func ended(_ record: OperationRecord, _ status: OperationStatus, at end: Date? = nil) -> OperationRecord {
        var record = record
        let end = end ?? record.operation.createdAt
        record.operation.status = status
        record.operation.finishedAt = Date(milliseconds: end.milliseconds)
        record.operation.activeSeconds = 1
        record.operation.failure = status == .failed ? OperationFailure(.timeout, "It took too long; try again.") : nil
        return record
    }

    /// A record in which everything has a value, and no two values are the same.
    static func full(type: StaticString) -> OperationRecord {
        var record = ended(record("full", type: type, at: 1), .failed)
        record.operation.description = "Grüße, \u{1F680}, \"quotes\" and a \0 in the middle"
        record.operation.pendingRequest = .cancel
        record.operation.priority = .urgent
        record.operation.parentID = id("full_parent")
        record.operation.phase = "downloading"
        record.operation.message = ""
        record.operation.attempt = 3
        record.operation.progress = OperationProgress(
            percent: 12.5,
            completedUnits: 1_250,
            totalUnits: .max,
            rewoundUnits: 17,
            presentUnits: 250,
            unit: .items
        )
        record.operation.remaining = RemainingTime(expected: 5.5, low: 4.25, high: 9.75, basis: .blend, samples: 8)
        record.operation.resources = ResourceImpact(cpuPercent: 87.5, memoryBytes: 1 << 40, networkBitsPerSecond: 1e9)
        record.operation.isOverdue = true
        record.operation.pid = 4711
        record.operation.failure = OperationFailure(.rateLimited, "Too often; wait.", retryAfter: .milliseconds(1500))
        record.operation.startedAt = Date(milliseconds: epoch.milliseconds + 2)
        record.operation.updatedAt = Date(milliseconds: epoch.milliseconds + 3)
        record.operation.finishedAt = Date(milliseconds: epoch.milliseconds + 4)
        record.operation.activeSeconds = 0.125
        record.operation.node = "node-1"
        record.request = Array(#"{"a":1}"#.utf8)
        record.result = []
        record.resumeState = [0, 255, 128, 0]
        record.processGroup = ProcessIdentity(pid: 4712, startTime: .max)
        record.uniqueKey = "unique"
        record.startedBy = "checker"
        record.band = 0.25..<0.75
        record.retry = RetryPolicy(
            maximumAttempts: 7,
            baseDelay: .milliseconds(1500),
            maximumDelay: .seconds(90),
            maximumElapsed: .seconds(3600),
            maximumWaiting: .seconds(600),
            retryable: [.timeout, OperationFailure.Code(rawValue: "own")]
        )
        record.peakMemoryBytes = 1 << 41
        record.phases = [
            PhaseTime(phase: nil, seconds: 0.5), PhaseTime(phase: "downloading", seconds: 2.25, work: 1 << 41),
        ]
        record.accuracy = EstimateAccuracy(count: 5, covered: 4, logErrorSum: 0.75)
        record.estimateWidth = 1.25
        record.estimateFeature = "example.org:443"
        record.writesToDataDirectory = true
        return record
    }
}
