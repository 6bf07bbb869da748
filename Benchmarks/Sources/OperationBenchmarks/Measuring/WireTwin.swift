/// The fields of an operation on the wire, for a peer that encodes them in the usual way.
struct WireTwin: Encodable {
    struct Impact: Encodable {
        var cpu_percent: Double?
        var memory_mb: Double?
        var network_mbps: Double?
    }

    var operation_id = "op_01kb2f6e8x7v3q9d5m1n4p6r8t"
    var operation_type = "pull_model"
    var description = "Pull llama3.2"
    var status = "in_progress"
    var started_at = "2026-11-26T11:13:20.123Z"
    var updated_at = "2026-11-26T11:13:20.123Z"
    var progress: Double = 50
    var total_size_mb: Double = 2861.02294921875
    var downloaded_mb: Double = 1430.511474609375
    var eta_seconds: Double?
    var pid: Int32?
    var error: String?
    var resource_impact = Impact()
    var uptime_seconds: Double = 1.5
    var created_at = "2026-11-26T11:13:20.123Z"
    var priority = "normal"
    var parent_id: String?
    var phase = "downloading"
    var message = "half way"
    var pending_request: String?
    var attempt: Int = 1
    var rewound_mb: Double = 0
    var completed_units: Int64 = 1500000000
    var total_units: Int64 = 3000000000
    var unit = "bytes"
    var eta_low_seconds: Double?
    var eta_high_seconds: Double?
    var eta_basis: String?
    var eta_samples: Int?
    var eta_overdue: Bool?
    var finished_at: String?
    var error_code: String?
    var node: String?
    var bandwidth_limit_bytes_per_second: Int64?
}
