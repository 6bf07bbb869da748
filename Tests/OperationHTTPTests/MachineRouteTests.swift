import Foundation
import OperationTracking
import OperationTrackingTesting
import Testing

@testable import OperationHTTP

@Suite struct MachineRouteTests {
    let fixture = RunnerFixture()
    let root = APIFixture.root

    @Test func theMachineIsShownInTheOriginalsWords() async throws {
        let answer = await fixture.ask("GET", "/api/ports/resources")
        let used = try #require(answer.number("memory_used_mb"))
        let available = try #require(answer.number("memory_available_mb"))
        let percent = try #require(answer.number("memory_percent"))
        #expect(abs(used / (used + available) * 100 - percent) < 0.1)
        #expect(answer.json["overloaded"]?.truth != nil)
        #expect(answer.json["host"]?["core_count"]?.number != nil)
    }

    @Test func theMachinesPastIsKept() async throws {
        for _ in 0..<3 {
            _ = await fixture.tracker.assessOverload()
            await fixture.base.clock.advance(by: .seconds(60))
        }
        let all = await fixture.ask("GET", "/api/ports/resources/history").json["history"]?.elements ?? []
        #expect(all.count == 3)
        #expect(all.first?["timestamp"]?.text == "2026-01-01T00:00:00.000Z")
        let last = await fixture.ask("GET", "/api/ports/resources/history?minutes=0.5").json["history"]?.elements ?? []
        #expect(last.count == 1)
        let two = await fixture.ask("GET", "/api/ports/resources/history?limit=2").json["history"]?.elements ?? []
        #expect(two.count == 2)
        #expect(await fixture.ask("GET", "/api/ports/resources/history?limit=1").status == 422)
        #expect(await fixture.ask("GET", "/api/ports/resources/history?minutes=-1").status == 422)
    }

    @Test func metricsCountWhatIsActiveAndWhatHasEnded() async throws {
        let id = try await fixture.base.start("operation_type=download&total_size_mb=1")
        _ = await fixture.ask("POST", root + "/\(id)/update?downloaded_mb=1")
        await fixture.base.clock.advance(by: .seconds(3))
        _ = await fixture.ask("POST", root + "/\(id)/complete")
        let other = try await fixture.base.start("operation_type=seed")
        _ = await fixture.ask("POST", root + "/\(other)/complete?error=no")
        _ = try await fixture.base.start("operation_type=seed")
        let answer = await fixture.ask("GET", "/metrics")
        #expect(answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
        for line in [
            #"operations_by_status{status="in_progress"} 1"#, #"operations_active{type="seed"} 1"#,
            #"operations_ended_total{type="download",status="completed"} 1"#,
            #"operations_ended_total{type="seed",status="failed"} 1"#,
            #"operations_transferred_bytes_total{type="download"} 1048576"#,
            #"operations_duration_seconds_bucket{type="download",le="1.0"} 0"#,
            #"operations_duration_seconds_bucket{type="download",le="5.0"} 1"#,
            #"operations_duration_seconds_bucket{type="download",le="+Inf"} 1"#,
            #"operations_duration_seconds_sum{type="download"} 3.0"#,
            #"operations_duration_seconds_count{type="download"} 1"#, "operations_queued 0", "operations_running 0",
            "operations_event_streams 0", "operations_history_degraded 0",
            "# TYPE operations_duration_seconds histogram",
        ] {
            #expect(answer.text.split(separator: "\n").contains(Substring(line)), "\(line)")
        }
    }

    @Test func metricsTellHowEstimatesHeldBeforeThisProcessBegan() async throws {
        let base = APIFixture()
        var operation = BackgroundOperation(
            id: try #require(OperationID(rawValue: "op_before")),
            type: .download,
            description: "before",
            status: .completed,
            createdAt: .now
        )
        operation.finishedAt = .now
        operation.activeSeconds = 10
        var record = OperationRecord(operation: operation)
        record.accuracy = EstimateAccuracy(count: 5, covered: 4, logErrorSum: 0.5)
        _ = await base.history.commit(record)
        let lines = await base.ask("GET", "/metrics").text.split(separator: "\n")
        #expect(lines.contains(#"operations_estimate_coverage{type="download"} 0.8"#))
        #expect(lines.contains(#"operations_estimate_log_error{type="download"} 0.1"#))
    }

    @Test func metricsTellOfTheTypesThatWereJudgedMost() async throws {
        let base = APIFixture()
        for number in 1...65 {
            var operation = BackgroundOperation(
                id: try #require(OperationID(rawValue: "op_\(number)")),
                type: try #require(OperationType(rawValue: "type\(number)")),
                description: "work",
                status: .completed,
                createdAt: .now
            )
            operation.finishedAt = .now
            var record = OperationRecord(operation: operation)
            record.accuracy = EstimateAccuracy(count: number, covered: 1, logErrorSum: 1)
            _ = await base.history.commit(record)
        }
        let lines = await base.ask("GET", "/metrics").text.split(separator: "\n")
        let told = lines.filter { $0.hasPrefix("operations_estimate_coverage{") }
        #expect(told.count == 64 && !told.contains { $0.contains(#""type1""#) })
    }

    @Test func aTypeThatHasEndedAndIsActiveTakesOneLabel() async throws {
        // 33 types end and are active again; 31 others are active: 64 in all.
        for number in 10..<43 {
            let id = try await fixture.base.start("operation_type=a\(number)")
            _ = await fixture.ask("POST", root + "/\(id)/complete")
            _ = try await fixture.base.start("operation_type=a\(number)")
        }
        for number in 10..<41 { _ = try await fixture.base.start("operation_type=b\(number)") }
        let lines = await fixture.ask("GET", "/metrics").text.split(separator: "\n")
        let active = lines.filter { $0.hasPrefix("operations_active{") }
        #expect(active.count == 64 && !active.contains { $0.contains(#""other""#) })
    }

    @Test func typesFromOutsideDoNotMakeLabelsWithoutBound() async throws {
        for number in 0..<100 {
            let id = try await fixture.base.start("operation_type=t\(number)")
            if number % 2 == 0 { _ = await fixture.ask("POST", root + "/\(id)/complete") }
        }
        let lines = await fixture.ask("GET", "/metrics").text.split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("operations_duration_seconds_count{") }.count <= 65)
        #expect(lines.filter { $0.hasPrefix("operations_active{") }.count <= 65)
    }
}
