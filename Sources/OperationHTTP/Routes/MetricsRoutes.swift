#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking

/// Figures for Prometheus in its text form (version 0.0.4). No label has values without bound: of types that came from
/// outside, only the first 64 are told apart.
extension APIContext {
    var metricsRoutes: [APIRoute] {
        [.later("GET", "/metrics", metrics)]
    }

    private func metrics(_ call: APICall) async -> APIResponse {
        var text = MetricsText()
        let summary = tracker.summary
        let ended = tracker.endedTotals
        writeOperations(summary, ended, to: &text)
        writeEnded(ended, to: &text)
        // What was learned before this process began, and by others, counts too.
        if let kept = try? await tracker.history?.statistics(types: nil) { writeRecentAccuracy(kept, to: &text) }
        if let runner {
            text.gauge("operations_queued", "Operations that wait for their turn.", await runner.queuedCount)
            text.gauge("operations_running", "Operations that this server's runner runs.", await runner.runningCount)
        }
        writeLoad(summary, await tracker.assessOverload(), to: &text)
        let sample = await tracker.resourceHistory(last: .zero, limit: 2).last
        if let sample {
            text.gauge(
                "operations_last_sample_timestamp_seconds",
                "When the machine was last measured.",
                sample.date.timeIntervalSince1970
            )
        }
        text.gauge("operations_event_streams", "Event streams that are open.", hub.clientCount)
        let isDegraded = tracker.history.map { $0.health != .ok } ?? false
        text.gauge("operations_history_degraded", "Whether the history is kept in memory only.", isDegraded ? 1 : 0)
        let headers = [
            APIHeader("Content-Type", "text/plain; version=0.0.4; charset=utf-8"),
            APIHeader("Cache-Control", "no-store"),
        ]
        return APIResponse(headers: headers, body: .bytes(Array(text.text.utf8)))
    }

    private func writeOperations(_ summary: OperationsSummary, _ ended: EndedTotals, to text: inout MetricsText) {
        text.family("operations_by_status", "gauge", "Operations that have not ended, by status.")
        for status in OperationStatus.allCases where status.isActive {
            text.sample("operations_by_status", [("status", status.rawValue)], summary[status])
        }
        var byType: [OperationType: Int] = [:]
        var others = 0
        for (type, count) in summary.activeByType.sorted(by: { $0.key < $1.key }) {
            let label = ended.label(for: type, beside: others)
            // Those that have ended, too, are kept apart already.
            if label == type, ended.byType[type] == nil { others += 1 }
            byType[label, default: 0] += count
        }
        text.family("operations_active", "gauge", "Operations that have not ended, by type.")
        for (type, count) in byType.sorted(by: { $0.key < $1.key }) {
            text.sample("operations_active", [("type", type.rawValue)], count)
        }
    }

    private func writeEnded(_ ended: EndedTotals, to text: inout MetricsText) {
        let byType = ended.byType.sorted { $0.key < $1.key }
        text.family("operations_ended_total", "counter", "Operations that have ended, by type and status.")
        for (type, figures) in byType {
            for (status, count) in [
                ("completed", figures.completed), ("failed", figures.failed), ("cancelled", figures.cancelled),
            ] {
                text.sample("operations_ended_total", [("type", type.rawValue), ("status", status)], count)
            }
        }
        text.family("operations_transferred_bytes_total", "counter", "Bytes that ended operations have transferred.")
        for (type, figures) in byType {
            text.sample("operations_transferred_bytes_total", [("type", type.rawValue)], figures.bytes)
        }
        writeAccuracy(byType.map { ($0.key, $0.value.accuracy) }, to: &text)
        let name = "operations_duration_seconds"
        text.family(name, "histogram", "How long completed operations took, without pauses.")
        for (type, figures) in byType {
            var count = 0
            for (bound, inBucket) in zip(EndedTotals.bounds.map { "\($0)" } + ["+Inf"], figures.buckets) {
                count += inBucket
                text.sample(name + "_bucket", [("type", type.rawValue), ("le", bound)], count)
            }
            text.sample(name + "_sum", [("type", type.rawValue)], figures.seconds)
            text.sample(name + "_count", [("type", type.rawValue)], count)
        }
    }

    /// A rate of one over the rate of another gives the share of intervals that held, and the mean error.
    private func writeAccuracy(_ byType: [(OperationType, EstimateAccuracy)], to text: inout MetricsText) {
        let judged = "operations_estimates_judged_total"
        text.family(judged, "counter", "Times remaining of completed operations that were compared with the truth.")
        for (type, accuracy) in byType { text.sample(judged, [("type", type.rawValue)], accuracy.count) }
        let covered = "operations_estimates_covered_total"
        text.family(covered, "counter", "Those whose 80 % interval held the truth.")
        for (type, accuracy) in byType { text.sample(covered, [("type", type.rawValue)], accuracy.covered) }
        let error = "operations_estimates_log_error_total"
        text.family(error, "counter", "Sum of |ln(expected/true)| over them.")
        for (type, accuracy) in byType { text.sample(error, [("type", type.rawValue)], accuracy.logErrorSum) }
    }

    /// How the estimates of the last thirty days have held, by the history; of the 64 types of which the most were judged.
    private func writeRecentAccuracy(_ statistics: [HistoryStatistics], to text: inout MetricsText) {
        let judged = statistics.filter { $0.recentAccuracy.count > 0 }
            .sorted { ($1.recentAccuracy.count, $0.type) < ($0.recentAccuracy.count, $1.type) }.prefix(64)
        let days = HistoryStatistics.recentDays
        let coverage = "operations_estimate_coverage"
        text.family(coverage, "gauge", "Share of 80 % intervals that held the truth in the last \(days) days.")
        for entry in judged {
            text.sample(coverage, [("type", entry.type.rawValue)], entry.recentAccuracy.coverage ?? 0)
        }
        let error = "operations_estimate_log_error"
        text.family(error, "gauge", "Mean |ln(expected/true)| of times remaining in the last \(days) days.")
        for entry in judged {
            text.sample(error, [("type", entry.type.rawValue)], entry.recentAccuracy.meanLogError ?? 0)
        }
    }

    private func writeLoad(_ summary: OperationsSummary, _ assessment: OverloadAssessment, to text: inout MetricsText) {
        text.gauge("operations_cpu_cores", "Cores that operations keep busy.", summary.cpuPercent / 100)
        text.gauge("operations_memory_bytes", "Resident memory of operations.", summary.memoryBytes)
        text.gauge(
            "operations_network_bytes_per_second",
            "What operations transfer.",
            summary.networkBitsPerSecond / 8
        )
        text.gauge(
            "operations_overloaded",
            "Whether the machine is overloaded.",
            assessment.isOverloaded ? 1 : 0
        )
        guard let host = assessment.host else { return }
        if let cpu = host.cpuPercent {
            text.gauge("operations_host_cpu_cores", "Cores of the machine that are busy.", cpu / 100)
        }
        if let memory = host.usableMemoryBytes {
            text.gauge("operations_host_memory_available_bytes", "Memory that new work can have.", memory)
        }
        if let disk = host.diskAvailableBytes {
            text.gauge("operations_host_disk_available_bytes", "Room on the data directory's disk.", disk)
        }
    }
}
