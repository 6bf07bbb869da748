#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
package import OperationTracking

/// The machine, with the names that the original system used; there `cpu_percent` is of all cores, 0 to 100.
extension APIContext {
    var resourceRoutes: [APIRoute] {
        [
            .later("GET", "/api/ports/resources", resources),
            .later("GET", "/api/ports/resources/history", resourceHistory),
        ]
    }

    private func resources(_ call: APICall) async -> APIResponse { .json(await tracker.resourcesJSON()) }

    private func resourceHistory(_ call: APICall) async throws -> APIResponse {
        let minutes = try call.parameters.number("minutes", in: 0...1440) ?? 30
        let limit = Int(try call.parameters.integer("limit", in: 2...1000) ?? 1000)
        let points = await tracker.resourceHistory(last: .seconds(minutes * 60), limit: limit)
        var json = JSONWriter(capacity: 64 + 512 * points.count)
        json.beginObject()
        json.key("history")
        json.beginArray()
        for point in points { point.write(to: &json) }
        json.endArray()
        json.endObject()
        return .list(json.bytes, to: call.request)
    }
}

extension OperationTracker {
    /// The machine and what the operations cost now, as a JSON object: the schema `Resources`.
    package func resourcesJSON() async -> [UInt8] {
        let assessment = await assessOverload()
        let host = assessment.host ?? HostResources()
        let summary = summary
        var json = JSONWriter(capacity: 2048)
        json.beginObject()
        json.key("timestamp")
        json.value(milliseconds: clock.wallMilliseconds)
        host.writeOriginalFields(to: &json)
        json.key("active_operations")
        json.value(summary.totalActive)
        json.key("aggregate_cpu_percent")
        json.value(summary.cpuPercent)
        json.key("aggregate_memory_mb")
        json.value(summary.memoryBytes.megabytes)
        json.key("aggregate_network_mbps")
        json.value(summary.networkBitsPerSecond / 1e6)
        assessment.writeVerdict(to: &json)
        json.key("host")
        host.write(to: &json)
        json.endObject()
        return json.bytes
    }
}

extension HostResources {
    /// The fields that the original system had. GB are 2^30 bytes.
    fileprivate func writeOriginalFields(to json: inout JSONWriter) {
        let memoryUsed = memoryTotalBytes.flatMap { total in memoryAvailableBytes.map { total - $0 } }
        let diskUsed = diskTotalBytes.flatMap { total in diskAvailableBytes.map { total - $0 } }
        json.key("cpu_percent")
        json.value(cpuPercentOfAllCores)
        json.key("memory_percent")
        json.value(Self.percent(memoryUsed, of: memoryTotalBytes))
        json.key("memory_used_mb")
        json.value(memoryUsed?.megabytes)
        json.key("memory_available_mb")
        json.value(memoryAvailableBytes?.megabytes)
        json.key("disk_percent")
        json.value(Self.percent(diskUsed, of: diskTotalBytes))
        json.key("disk_used_gb")
        json.value(diskUsed.map { $0.megabytes / 1024 })
        json.key("disk_free_gb")
        json.value(diskAvailableBytes.map { $0.megabytes / 1024 })
    }

    private static func percent(_ part: Int64?, of whole: Int64?) -> Double? {
        guard let part, let whole, whole > 0 else { return nil }
        return Double(part) / Double(whole) * 100
    }
}

extension ResourceHistory.Point {
    fileprivate func write(to json: inout JSONWriter) {
        json.beginObject()
        json.key("timestamp")
        json.value(milliseconds: date.milliseconds)
        host.writeOriginalFields(to: &json)
        json.key("network_receive_mbps")
        json.value(host.networkReceiveBitsPerSecond.map { $0 / 1e6 })
        json.key("network_transmit_mbps")
        json.value(host.networkTransmitBitsPerSecond.map { $0 / 1e6 })
        json.key("cpu_pressure_percent")
        json.value(host.pressure.cpuPercent)
        json.key("memory_pressure_percent")
        json.value(host.pressure.memoryPercent)
        json.key("io_pressure_percent")
        json.value(host.pressure.ioPercent)
        json.key("active_operations")
        json.value(activeOperations)
        json.key("aggregate_cpu_percent")
        json.value(totals.cpuPercent)
        json.key("aggregate_memory_mb")
        json.value(totals.memoryBytes?.megabytes)
        json.key("aggregate_network_mbps")
        json.value(totals.networkBitsPerSecond.map { $0 / 1e6 })
        json.endObject()
    }
}
