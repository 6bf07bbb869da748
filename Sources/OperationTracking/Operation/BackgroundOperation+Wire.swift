#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

extension BackgroundOperation {
    /// The wire form: one JSON object with snake_case keys, every key always present, unknown values `null`.
    ///
    /// Units: `…_mb` are MB of 2^20 bytes (null unless the operation counts bytes), `network_mbps` 10^6 bit/s,
    /// `cpu_percent` 100 for one core, `progress` 0 to 100, `…_seconds` seconds, moments ISO 8601 in UTC with milliseconds.
    public func jsonBytes() -> [UInt8] {
        JSONWriter.bytes(capacity: 1024) { write(to: &$0) }
    }

    package func write(to json: inout JSONWriter) {
        json.beginObject()
        writeFields(to: &json)
        json.endObject()
    }

    package func writeFields(to json: inout JSONWriter) {
        let countsBytes = progress.unit == .bytes
        json.key("operation_id")
        json.value(id.rawValue)
        json.key("operation_type")
        json.value(type.rawValue)
        json.key("description")
        json.value(description)
        json.key("status")
        json.value(status.rawValue)
        json.key("started_at")
        json.value(milliseconds: startedAt?.milliseconds)
        json.key("updated_at")
        json.value(milliseconds: updatedAt.milliseconds)
        json.key("progress")
        json.value(progress.percent, decimals: 2)
        json.key("total_size_mb")
        json.value(countsBytes ? progress.totalUnits.map(Self.megabytes) : nil)
        json.key("downloaded_mb")
        json.value(countsBytes ? Self.megabytes(progress.completedUnits) : nil)
        json.key("eta_seconds")
        json.value(remaining?.expected)
        json.key("pid")
        json.value(pid)
        json.key("error")
        json.value(failure?.message)
        json.key("resource_impact")
        json.beginObject()
        json.key("cpu_percent")
        json.value(resources.cpuPercent)
        json.key("memory_mb")
        json.value(resources.memoryBytes.map(Self.megabytes))
        json.key("network_mbps")
        json.value(resources.networkBitsPerSecond.map { $0 / 1_000_000 })
        json.endObject()
        json.key("uptime_seconds")
        json.value(activeSeconds)

        json.key("created_at")
        json.value(milliseconds: createdAt.milliseconds)
        json.key("priority")
        json.value(priority.rawValue)
        json.key("parent_id")
        json.value(parentID?.rawValue)
        json.key("phase")
        json.value(phase)
        json.key("message")
        json.value(message)
        json.key("pending_request")
        json.value(pendingRequest?.rawValue)
        json.key("attempt")
        json.value(attempt)
        json.key("rewound_mb")
        json.value(countsBytes ? Self.megabytes(progress.rewoundUnits) : nil)
        json.key("completed_units")
        json.value(progress.completedUnits)
        json.key("total_units")
        json.value(progress.totalUnits)
        json.key("unit")
        json.value(progress.unit.rawValue)
        json.key("eta_low_seconds")
        json.value(remaining?.low)
        json.key("eta_high_seconds")
        json.value(remaining?.high)
        json.key("eta_basis")
        json.value(remaining?.basis.rawValue)
        json.key("eta_samples")
        json.value(remaining?.samples)
        json.key("eta_overdue")
        json.value(isOverdue)
        json.key("finished_at")
        json.value(milliseconds: finishedAt?.milliseconds)
        json.key("error_code")
        json.value(failure?.code.rawValue)
        json.key("node")
        json.value(node)
        json.key("bandwidth_limit_bytes_per_second")
        json.value(bandwidthLimit)
    }

    /// Bytes in one MB, as the original system counted.
    static let bytesPerMegabyte = 1_048_576.0

    private static func megabytes(_ bytes: Int64) -> Double {
        Double(bytes) / bytesPerMegabyte
    }
}

extension Date {
    /// Whole milliseconds since 1970.
    package var milliseconds: Int64 {
        Int64((timeIntervalSince1970 * 1000).rounded())
    }

    /// A moment from whole milliseconds since 1970.
    package init(milliseconds: Int64) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1000)
    }
}
