import OperationTracking

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// Measures the process trees of the pids that are given each time that a line comes in, and prints what it found as a line
// of JSON: {"processes": {"PID": {"cpu_percent": …, "memory_bytes": …}}, "totals": {…}, "host": {…}}. With it, programs in
// other languages can compare their own measurements with the sampler's.
//
// usage: resource-probe [PID...]

let processes = CommandLine.arguments.dropFirst().compactMap { Int32($0) }.compactMap(ProcessIdentity.init(running:))
let sampler = ResourceSampler(dataDirectory: "/tmp")
let clock = SystemTrackingClock()

func json(_ value: Double?) -> String { value.map { "\($0)" } ?? "null" }
func json(_ value: Int64?) -> String { value.map { "\($0)" } ?? "null" }
func json(_ impact: ResourceImpact) -> String {
    #"{"cpu_percent":\#(json(impact.cpuPercent)),"memory_bytes":\#(json(impact.memoryBytes))}"#
}

while readLine() != nil {
    let sample = sampler.sample(processes, at: clock.monotonicNanoseconds)
    let impacts = sample.impacts.map { #""\#($0.key.pid)":\#(json($0.value))"# }.joined(separator: ",")
    let host = """
        {"cpu_percent":\(json(sample.host.cpuPercent)),"core_count":\(sample.host.coreCount),\
        "available_cores":\(sample.host.availableCores),\
        "memory_total_bytes":\(json(sample.host.memoryTotalBytes)),\
        "memory_available_bytes":\(json(sample.host.memoryAvailableBytes)),\
        "disk_available_bytes":\(json(sample.host.diskAvailableBytes)),\
        "network_receive_bits_per_second":\(json(sample.host.networkReceiveBitsPerSecond)),\
        "network_transmit_bits_per_second":\(json(sample.host.networkTransmitBitsPerSecond)),\
        "load_average":\(json(sample.host.loadAverage?.oneMinute)),\
        "memory_pressure_percent":\(json(sample.host.pressure.memoryPercent)),\
        "memory_limit_bytes":\(json(sample.host.memoryLimitBytes))}
        """
    print(#"{"processes":{\#(impacts)},"totals":\#(json(sample.totals)),"host":\#(host)}"#)
    fflush(nil)
}
