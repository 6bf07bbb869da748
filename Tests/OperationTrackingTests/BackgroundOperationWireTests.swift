import Foundation
import OperationTracking
import Testing

struct BackgroundOperationWireTests {
    /// The names that clients rely on, in their order: the original system's first.
    private static let keys = """
        operation_id operation_type description status started_at updated_at progress total_size_mb downloaded_mb eta_seconds pid \
        error resource_impact uptime_seconds created_at priority parent_id phase message pending_request attempt rewound_mb \
        completed_units total_units unit eta_low_seconds eta_high_seconds eta_basis eta_samples eta_overdue finished_at error_code node \
        bandwidth_limit_bytes_per_second
        """.split(separator: " ").map(String.init)

    private static func sample() -> BackgroundOperation {
        BackgroundOperation(
            id: OperationID(rawValue: "op_sample")!,
            type: .pullModel,
            description: "Pull llama3.2",
            status: .inProgress,
            createdAt: Date(timeIntervalSince1970: 1_767_225_600.25)
        )
    }

    private static func decoded(_ operation: BackgroundOperation) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(operation.jsonBytes()))
        return try #require(object as? [String: Any])
    }

    @Test func everyKeyIsPresentWhenNothingIsKnown() throws {
        let object = try Self.decoded(Self.sample())
        #expect(Set(object.keys) == Set(Self.keys))
        for key in ["started_at", "finished_at", "eta_seconds", "pid", "error", "total_size_mb", "total_units", "node"]
        {
            #expect(object[key] is NSNull, "\(key) is unknown, so null")
        }
        #expect(object["created_at"] as? String == "2026-01-01T00:00:00.250Z")
    }

    @Test func keysKeepTheirOrder() {
        let text = String(decoding: Self.sample().jsonBytes(), as: UTF8.self)
        let positions = Self.keys.compactMap { text.range(of: "\"\($0)\":")?.lowerBound }
        #expect(positions.count == Self.keys.count)
        #expect(positions == positions.sorted())
    }

    @Test func amountsAreInTheUnitsThatTheNamesSay() throws {
        var operation = Self.sample()
        operation.progress = OperationProgress(
            percent: 33.333,
            completedUnits: 1_048_576,
            totalUnits: 3_145_728,
            rewoundUnits: 524_288
        )
        operation.resources = ResourceImpact(cpuPercent: 150, memoryBytes: 2_097_152, networkBitsPerSecond: 8_000_000)
        operation.remaining = RemainingTime(expected: 10, low: 8.5, high: 12, basis: .rate)
        let object = try Self.decoded(operation)
        #expect(object["progress"] as? Double == 33.33)
        #expect(object["downloaded_mb"] as? Double == 1)
        #expect(object["total_size_mb"] as? Double == 3)
        #expect(object["rewound_mb"] as? Double == 0.5)
        #expect(object["completed_units"] as? Int == 1_048_576)
        #expect(object["eta_seconds"] as? Double == 10)
        #expect(object["eta_low_seconds"] as? Double == 8.5)
        #expect(object["eta_basis"] as? String == "rate")
        let impact = try #require(object["resource_impact"] as? [String: Double])
        #expect(impact == ["cpu_percent": 150, "memory_mb": 2, "network_mbps": 8])
    }

    @Test func whatIsNotCountedInBytesHasNoMegabytes() throws {
        var operation = Self.sample()
        operation.progress = OperationProgress(completedUnits: 3, totalUnits: 7, unit: .items)
        let object = try Self.decoded(operation)
        #expect(object["downloaded_mb"] is NSNull)
        #expect(object["total_size_mb"] is NSNull)
        #expect(object["completed_units"] as? Int == 3)
        #expect(object["unit"] as? String == "items")
    }

    @Test(arguments: [
        "", "plain", "\"quoted\" \\ back", "line\nbreak\ttab\r", "\u{0}\u{1}\u{1F}", "ünïcödé 🦙", "</script>",
    ])
    func anyTextSurvives(_ text: String) throws {
        var operation = Self.sample()
        operation.description = text
        operation.failure = OperationFailure(.stalled, text)
        let object = try Self.decoded(operation)
        #expect(object["description"] as? String == text)
        #expect(object["error"] as? String == text)
        #expect(object["error_code"] as? String == "stalled")
    }

    @Test(arguments: [0, 0.001, 0.5, 99.99, 1e-9, 123_456_789.123, 1e14, 1e300, -1.5])
    func anyNumberSurvivesToThreeDecimals(_ number: Double) throws {
        var operation = Self.sample()
        operation.activeSeconds = number
        let value = try #require(try Self.decoded(operation)["uptime_seconds"] as? Double)
        #expect(abs(value - number) <= max(0.0005, abs(number) * 1e-12))
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func whatIsNoNumberIsNull(_ number: Double) throws {
        var operation = Self.sample()
        operation.activeSeconds = number
        #expect(try Self.decoded(operation)["uptime_seconds"] is NSNull)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_709_251_199_999, "2024-02-29T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ])
    func momentsAreWrittenInUTCWithMilliseconds(_ milliseconds: Int64, _ text: String) throws {
        var operation = Self.sample()
        operation.startedAt = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
        #expect(try Self.decoded(operation)["started_at"] as? String == text)
    }

    @Test(arguments: [
        (1_709_251_199_001, 1_709_251_199_999, "2024-02-29T23:59:59.001Z", "2024-02-29T23:59:59.999Z"),
        (1_709_251_199_999, 1_709_251_200_000, "2024-02-29T23:59:59.999Z", "2024-03-01T00:00:00.000Z"),
        (-1, 1, "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00.001Z"),
        (1, -1, "1970-01-01T00:00:00.001Z", "1969-12-31T23:59:59.999Z"),
        (300_000_000_000_001, 300_000_000_000_002, "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ])
    func momentsOfOneSecondAndOfTwoAreToldApart(_ first: Int64, _ second: Int64, _ one: String, _ other: String) throws
    {
        var json = JSONWriter(capacity: 0)
        json.beginArray()
        for milliseconds in [first, second, first] { json.value(milliseconds: milliseconds) }
        json.endArray()
        #expect(String(decoding: json.bytes, as: UTF8.self) == "[\"\(one)\",\"\(other)\",\"\(one)\"]")
    }

    @Test(arguments: [0, 64, 300, 1 << 20])
    func whateverRoomWasExpectedTheSameIsWritten(_ capacity: Int) {
        func write(_ json: inout JSONWriter) {
            json.beginArray()
            for number in 0..<100 { json.value("number \(number)") }
            json.endArray()
        }
        var writer = JSONWriter(capacity: 1 << 20)
        write(&writer)
        #expect(JSONWriter.bytes(capacity: capacity, write) == writer.bytes)
    }
}
