package import OperationTracking

extension HostResources {
    /// The machine. `cpu_percent` counts 100 for one core, MB are 2^20 bytes, Mbps 10^6 bit/s; what isn't known is null.
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.key("cpu_percent")
        json.value(cpuPercent)
        json.key("cpu_percent_of_all_cores")
        json.value(cpuPercentOfAllCores)
        json.key("core_count")
        json.value(coreCount)
        json.key("available_cores")
        json.value(availableCores)
        json.key("memory_total_mb")
        json.value(memoryTotalBytes?.megabytes)
        json.key("memory_available_mb")
        json.value(usableMemoryBytes?.megabytes)
        json.key("disk_total_mb")
        json.value(diskTotalBytes?.megabytes)
        json.key("disk_available_mb")
        json.value(diskAvailableBytes?.megabytes)
        json.key("network_receive_mbps")
        json.value(networkReceiveBitsPerSecond.map { $0 / 1e6 })
        json.key("network_transmit_mbps")
        json.value(networkTransmitBitsPerSecond.map { $0 / 1e6 })
        json.key("load_average")
        if let loadAverage {
            json.beginArray()
            json.value(loadAverage.oneMinute)
            json.value(loadAverage.fiveMinutes)
            json.value(loadAverage.fifteenMinutes)
            json.endArray()
        } else {
            json.null()
        }
        json.key("cpu_pressure_percent")
        json.value(pressure.cpuPercent)
        json.key("memory_pressure_percent")
        json.value(pressure.memoryPercent)
        json.key("io_pressure_percent")
        json.value(pressure.ioPercent)
        json.key("container_memory_limit_mb")
        json.value(container?.memoryLimitBytes?.megabytes)
        json.key("container_cores")
        json.value(container?.cores)
        json.endObject()
    }
}

extension OverloadAssessment {
    /// `overloaded`, `message` and `reasons`.
    package func writeVerdict(to json: inout JSONWriter) {
        json.key("overloaded")
        json.value(isOverloaded)
        json.key("message")
        json.value(message ?? "The machine has room for more work.")
        json.key("reasons")
        json.beginArray()
        for reason in reasons {
            json.beginObject()
            json.key("code")
            json.value(reason.code.rawValue)
            json.key("message")
            json.value(reason.message)
            json.endObject()
        }
        json.endArray()
    }
}

extension HistoryHealth {
    /// `status` and `reason`.
    package func writeFields(to json: inout JSONWriter) {
        json.key("status")
        switch self {
        case .ok:
            json.value("ok")
            json.key("reason")
            json.null()
        case .degraded(let reason):
            json.value("degraded")
            json.key("reason")
            json.value(reason)
        }
    }
}

extension Int64 {
    /// So many bytes in MB of 2^20.
    var megabytes: Double { Double(self) / 1_048_576 }
}
