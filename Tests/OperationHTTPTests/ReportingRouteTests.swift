import OperationTracking
import Testing

@testable import OperationHTTP

/// The original's endpoints: work that clients do and report by hand.
@Suite struct ReportingRouteTests {
    let fixture = APIFixture()
    let root = APIFixture.root

    @Test func aStartedOperationIsInProgressAtOnce() async throws {
        let answer = await fixture.ask(
            "POST",
            root + "/start",
            json: #"{"operation_type": "download", "description": "a file", "total_size_mb": 10, "pid": 1}"#
        )
        #expect(answer.status == 200)
        let id = try #require(answer.text("operation_id"))
        let operation = await fixture.ask("GET", root + "/" + id)
        #expect(operation.text("status") == "in_progress")
        #expect(operation.text("operation_type") == "download")
        #expect(operation.text("description") == "a file")
        #expect(operation.number("total_size_mb") == 10)
        #expect(operation.number("pid") == 1)
        #expect(operation.text("started_by") == "http local user")
    }

    @Test func parametersMayComeAsQuery() async throws {
        let id = try await fixture.start(
            "operation_type=seed&description=a%20b+c&total_size_mb=2.5&operation_id=op_mine"
        )
        #expect(id == "op_mine")
        let update = await fixture.ask("POST", root + "/op_mine/update?progress=10&downloaded_mb=1")
        #expect(update.text == #"{"updated":true}"#)
        let operation = await fixture.ask("GET", root + "/op_mine")
        #expect(operation.text("description") == "a b c")
        #expect(operation.number("downloaded_mb") == 1)
        #expect(operation.number("progress") == 40)
        let end = await fixture.ask("POST", root + "/op_mine/complete")
        #expect(end.text == #"{"completed":true,"durable":true}"#)
        #expect(await fixture.ask("GET", root + "/op_mine").text("status") == "completed")
    }

    @Test(arguments: ["application/x-www-form-urlencoded", "text/plain", "application/json", "nonsense"])
    func anEmptyBodyOfAnyTypeIsNoError(type: String) async throws {
        let answer = await fixture.ask(
            "POST",
            root + "/start?operation_type=download",
            headers: [APIHeader("Content-Type", type)]
        )
        #expect(answer.status == 200)
    }

    @Test func anUpdateTellsAmountsStatusAndCost() async throws {
        let id = try await fixture.start()
        let answer = await fixture.ask(
            "POST",
            root + "/\(id)/update",
            json: #"""
                {"progress": 42.5, "downloaded_mb": 3, "status": "paused", "error": "a hiccup",
                 "resource_impact": {"cpu_percent": 12, "memory_mb": 100, "network_mbps": 8}}
                """#
        )
        #expect(answer.text == #"{"updated":true}"#)
        let operation = await fixture.ask("GET", root + "/" + id).json
        #expect(operation["status"]?.text == "paused")
        #expect(operation["progress"]?.number == 42.5)
        #expect(operation["downloaded_mb"]?.number == 3)
        #expect(operation["error"]?.text == "a hiccup")
        #expect(operation["message"]?.isNull == true)
        #expect(operation["resource_impact"]?["cpu_percent"]?.number == 12)
        #expect(operation["resource_impact"]?["memory_mb"]?.number == 100)
        #expect(operation["resource_impact"]?["network_mbps"]?.number == 8)
    }

    @Test func progressNeverGoesBackwards() async throws {
        let id = try await fixture.start()
        _ = await fixture.ask("POST", root + "/\(id)/update?progress=50")
        _ = await fixture.ask("POST", root + "/\(id)/update?progress=20")
        #expect(await fixture.ask("GET", root + "/" + id).number("progress") == 50)
    }

    @Test func anErrorAtCompletionIsAFailure() async throws {
        let id = try await fixture.start()
        let answer = await fixture.ask("POST", root + "/\(id)/complete", json: #"{"error": "disk on fire"}"#)
        #expect(answer.text == #"{"completed":true,"durable":true}"#)
        let operation = await fixture.ask("GET", root + "/" + id)
        #expect(operation.text("status") == "failed")
        #expect(operation.text("error") == "disk on fire")
    }

    @Test func anErrorAfterARequestToStopIsHowItStopped() async throws {
        let id = try await fixture.start()
        try await fixture.tracker.cancel(try #require(OperationID(rawValue: id)))
        _ = await fixture.ask("POST", root + "/\(id)/complete?error=stopped")
        #expect(await fixture.ask("GET", root + "/" + id).text("status") == "cancelled")
    }

    @Test func whatHasEndedCanNotChange() async throws {
        let id = try await fixture.start()
        _ = await fixture.ask("POST", root + "/\(id)/complete")
        for path in [
            "update?progress=3", "update?status=paused", "complete?error=x", "update?status=completed&progress=3",
        ] {
            let answer = await fixture.ask("POST", root + "/\(id)/" + path)
            #expect(answer.status == 409, "\(path)")
            #expect(answer.text("code") == "invalid_transition", "\(path)")
        }
    }

    @Test func reportingAnEndingAgainIsNoError() async throws {
        let ends = [
            ("complete", ["complete", "update?status=completed"]),
            ("complete?error=x", ["complete?error=y", "update?status=failed"]),
            ("update?status=cancelled", ["cancel", "update?status=cancelled"]),
        ]
        for (end, again) in ends {
            let id = try await fixture.start()
            #expect(await fixture.ask("POST", root + "/\(id)/" + end).status == 200)
            for path in again { #expect(await fixture.ask("POST", root + "/\(id)/" + path).status == 200, "\(path)") }
        }
    }

    @Test func cancellingWhatIsCancelledIsNoErrorHoweverLongAgo() async throws {
        let id = try await fixture.start()
        _ = await fixture.ask("POST", root + "/\(id)/update?status=cancelled")
        for _ in 0..<300 {
            try await fixture.tracker.complete(try fixture.tracker.start(type: .seed, description: "").id)
        }
        let answer = await fixture.ask("POST", root + "/\(id)/cancel")
        #expect(answer.status == 200)
        #expect(answer.text("status") == "cancelled")
        #expect(await fixture.ask("POST", root + "/\(id)/pause").status == 409)
    }

    @Test func anErrorThatDoesNotEndTheWorkIsGoneWhenItCompletes() async throws {
        let id = try await fixture.start()
        _ = await fixture.ask("POST", root + "/\(id)/update?error=a%20hiccup")
        #expect(await fixture.ask("GET", root + "/" + id).text("error") == "a hiccup")
        _ = await fixture.ask("POST", root + "/\(id)/complete")
        #expect(await fixture.ask("GET", root + "/" + id).json["error"]?.isNull == true)
    }

    @Test func aLongDescriptionIsCountedInCharactersAndKeptWhole() async throws {
        let text = String(repeating: "é", count: 1000)
        let body = #"{"operation_type": "a", "description": "\#(text)"}"#
        let id = try #require(await fixture.ask("POST", root + "/start", json: body).text("operation_id"))
        #expect(await fixture.ask("GET", root + "/" + id).text("description") == text)
    }

    @Test func aNameOfTheHistoryIsADuplicate() async throws {
        let id = try await fixture.start("operation_type=a&operation_id=op_nightly&description=Monday")
        _ = await fixture.ask("POST", root + "/\(id)/complete")
        let later = APIFixture(history: fixture.history)
        let again = await later.ask("POST", root + "/start?operation_type=a&operation_id=op_nightly")
        #expect(again.status == 409)
        #expect(again.text("code") == "duplicate_operation")
        #expect(await later.ask("GET", root + "/op_nightly").text("description") == "Monday")
    }

    @Test(arguments: ["progress=50&status=pending", "downloaded_mb=3&status=paused", "error=x&status=pending"])
    func aRefusedUpdateChangesNothing(query: String) async throws {
        let id = try await fixture.start()
        _ = await fixture.ask("POST", root + "/\(id)/update?status=paused")
        let before = await fixture.ask("GET", root + "/" + id).text
        let isAllowed = query.contains("paused")
        #expect(await fixture.ask("POST", root + "/\(id)/update?" + query).status == (isAllowed ? 200 : 409))
        #expect((await fixture.ask("GET", root + "/" + id).text == before) == !isAllowed)
    }

    @Test func anEndingWithAnErrorIsAFailureWhateverItIsCalled() async throws {
        let id = try await fixture.start()
        for _ in 1...2 {
            let answer = await fixture.ask("POST", root + "/\(id)/update?status=completed&error=disk+full")
            #expect(answer.status == 200)
        }
        let shown = await fixture.ask("GET", root + "/" + id)
        #expect(shown.text("status") == "failed" && shown.text("error") == "disk full")
    }

    @Test func anEmptyErrorIsNone() async throws {
        let id = try await fixture.start()
        #expect(await fixture.ask("POST", root + "/\(id)/update?status=completed&error=").status == 200)
        #expect(await fixture.ask("GET", root + "/" + id).text("status") == "completed")
    }

    @Test func aSizeOfNotEvenAByteIsNotKnown() async throws {
        let id = try await fixture.start("operation_type=a&total_size_mb=0.0000001")
        #expect(await fixture.ask("GET", root + "/" + id).json["total_size_mb"]?.isNull == true)
    }

    @Test func anErrorThatIsReportedAgainAfterACancellationIsNoConflict() async throws {
        let id = try await fixture.start()
        _ = await fixture.ask("POST", root + "/\(id)/cancel")
        for _ in 1...2 {
            #expect(await fixture.ask("POST", root + "/\(id)/complete?error=stopped").status == 200)
        }
        #expect(await fixture.ask("GET", root + "/" + id).text("status") == "cancelled")
    }

    @Test func aServerThatStopsTakesNoNewWorkAndSaysSo() async throws {
        let id = try await fixture.start()
        fixture.api.stopTakingWork()
        for target in ["/start?operation_type=a", "/start?operation_type=a&operation_id=op_x", "/run?operation_type=a"]
        {
            #expect(await fixture.ask("POST", root + target).status == 503, "\(target)")
        }
        let health = await fixture.ask("GET", "/health")
        #expect(health.status == 503)
        #expect(health.text("status") == "stopping")
        #expect(await fixture.ask("POST", root + "/\(id)/complete").status == 200)
    }

    @Test func aStepThatTheStatusDoesNotAllowIsAConflict() async throws {
        let id = try await fixture.start()
        _ = await fixture.ask("POST", root + "/\(id)/update?status=paused")
        #expect(await fixture.ask("POST", root + "/\(id)/complete").status == 409)
        #expect(await fixture.ask("POST", root + "/\(id)/update?status=pending").status == 409)
        #expect(await fixture.ask("GET", root + "/" + id).text("status") == "paused")
    }

    @Test func anIDIsForOneOperation() async throws {
        _ = try await fixture.start("operation_type=a&operation_id=op_x")
        let again = await fixture.ask("POST", root + "/start?operation_type=a&operation_id=op_x")
        #expect(again.status == 409)
        #expect(again.text("code") == "duplicate_operation")
    }

    @Test(
        arguments: [
            #"{}"#, #"{"operation_type": 3}"#, #"{"operation_type": "Download"}"#, #"{"operation_type": ""}"#,
            #"{"operation_type": "a", "description": 3}"#, #"{"operation_type": "a", "total_size_mb": "many"}"#,
            #"{"operation_type": "a", "total_size_mb": -1}"#, #"{"operation_type": "a", "total_size_mb": 1e300}"#,
            #"{"operation_type": "a", "pid": 0}"#, #"{"operation_type": "a", "pid": 1.5}"#,
            #"{"operation_type": "a", "operation_id": "summary"}"#,
            #"{"operation_type": "a", "operation_id": "op_/x"}"#,
            #"{"operation_type": "a", "description": "a\u0000b"}"#, #"[]"#, #"3"#,
        ]
    )
    func aWrongValueIsRefusedAndNothingStarts(json: String) async {
        let answer = await fixture.ask("POST", root + "/start", json: json)
        #expect(answer.status == 422)
        #expect(answer.header("Content-Type") == "application/problem+json")
        #expect(answer.text("detail")?.isEmpty == false)
        #expect(fixture.tracker.activeOperations.isEmpty)
    }

    @Test(
        arguments: [
            "progress=101", "progress=-1", "progress=nan", "progress=", "progress=0x10", "progress=1&progress=2",
            "status=running", "downloaded_mb=inf", "resource_impact=3",
        ]
    )
    func aWrongUpdateIsRefused(query: String) async throws {
        let id = try await fixture.start()
        #expect(await fixture.ask("POST", root + "/\(id)/update?" + query).status == 422)
    }

    @Test func anUnknownOperationIsNotFound() async {
        for path in ["GET /op_no", "GET /nonsense", "POST /op_no/update", "POST /op_no/complete", "GET /op_no/stream"] {
            let parts = path.split(separator: " ")
            #expect(await fixture.ask(String(parts[0]), root + parts[1]).status == 404, "\(path)")
        }
    }

    @Test func workThatReportsItselfTakesNoReports() async throws {
        let fixture = fixture
        try await fixture.tracker.withOperation(type: OperationType("own"), description: "own") { handle in
            let path = APIFixture.root + "/\(handle.id)"
            #expect(await fixture.ask("POST", path + "/update?progress=3").text("code") == "reports_itself")
            #expect(await fixture.ask("POST", path + "/complete").status == 409)
        }
    }

    @Test func onlySoManyMayBeActive() async throws {
        let fixture = APIFixture { $0.maximumActiveOperations = 1 }
        _ = try await fixture.start()
        let answer = await fixture.ask("POST", root + "/start?operation_type=a")
        #expect(answer.status == 429)
        #expect(answer.header("Retry-After") != nil)
    }
}
