/// The fields of an operation on the wire, for a peer that encodes them in the usual way.
struct WireTwin: Encodable {
    struct Impact: Encodable {
        @OrNull var cpu_percent: Double?
        @OrNull var memory_mb: Double?
        @OrNull var network_mbps: Double?
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
    @OrNull var eta_seconds: Double?
    @OrNull var pid: Int32?
    @OrNull var error: String?
    var resource_impact = Impact()
    var uptime_seconds: Double = 1.5
    var created_at = "2026-11-26T11:13:20.123Z"
    var priority = "normal"
    @OrNull var parent_id: String?
    var phase = "downloading"
    var message = "half way"
    @OrNull var pending_request: String?
    var attempt: Int = 1
    var rewound_mb: Double = 0
    var completed_units: Int64 = 1500000000
    var total_units: Int64 = 3000000000
    var unit = "bytes"
    @OrNull var eta_low_seconds: Double?
    @OrNull var eta_high_seconds: Double?
    @OrNull var eta_basis: String?
    @OrNull var eta_samples: Int?
    @OrNull var eta_overdue: Bool?
    @OrNull var finished_at: String?
    @OrNull var error_code: String?
    @OrNull var node: String?
    @OrNull var bandwidth_limit_bytes_per_second: Int64?
}

/// Encodes what isn't known as `null`, as ours does; without it the key would be left out.
@propertyWrapper
struct OrNull<Value: Encodable>: Encodable {
    var wrappedValue: Value?

    func encode(to encoder: any Encoder) throws {
        var place = encoder.singleValueContainer()
        try place.encode(wrappedValue)
    }
}

extension KeyedEncodingContainer {
    /// In the quickest way: as a value of its own each would cost `JSONEncoder` over a microsecond.
    mutating func encode<Value>(_ value: OrNull<Value>, forKey key: Key) throws {
        if let value = value.wrappedValue { try encode(value, forKey: key) } else { try encodeNil(forKey: key) }
    }
}
