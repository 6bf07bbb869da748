import Testing

@testable import OllamaStandIn

/// Answers as values, without a socket.
struct RouterTests {
    func router(_ models: ScriptedModel...) throws -> Router {
        var byName: [ModelName: ScriptedModel] = [:]
        for model in models { byName[try #require(ModelName(model.name))] = model }
        return Router(store: ModelStore(byName))
    }

    func whole(_ answer: Answer) -> WholeAnswer? {
        if case .whole(let whole) = answer { whole } else { nil }
    }

    func pull(_ router: Router, _ name: String) -> Answer {
        router.answer(method: "POST", path: "/api/pull", body: Array(#"{"model":"\#(name)"}"#.utf8))
    }

    /// Plays a pull to its end, as the connection's thread does. The last event.
    func play(_ answer: Answer, on router: Router) -> PullEvent? {
        guard case .pull(let name, var events, _) = answer else { return nil }
        var last: PullEvent?
        while let event = events.next(now: last?.at ?? 0) {
            router.store.record(events, of: name)
            last = event
        }
        return last
    }

    @Test(arguments: [
        ("", "missing request body"),
        (#"{"model": "#, "unexpected EOF"),
        (#"{"model": 5}"#, "json: cannot unmarshal number into Go struct field PullRequest.model of type string"),
        (#"{"model": [1]}"#, "json: cannot unmarshal array into Go struct field PullRequest.model of type string"),
        (#"{"model": {}}"#, "json: cannot unmarshal object into Go struct field PullRequest.model of type string"),
        (#"{"stream": "no"}"#, "json: cannot unmarshal string into Go struct field PullRequest.stream of type bool"),
        ("{}", "invalid model name"),
        (#"{"model": ""}"#, "invalid model name"),
        (#"{"model": null}"#, "invalid model name"),
        (#"{"model": "bad name!!/x y"}"#, "invalid model name"),
    ])
    func aBadBodyIsRefusedAsRecorded(body: String, message: String) throws {
        let answer = try router().answer(method: "POST", path: "/api/pull", body: Array(body.utf8))
        #expect(whole(answer) == WholeAnswer(status: 400, body: #"{"error":"\#(message)"}"#))
    }

    @Test func theOldFieldNameAndUnknownFieldsAreTaken() throws {
        let body = #"{"name":"demo","insecure":true,"colour":["red"],"stream":false}"#
        let answer = try router().answer(method: "POST", path: "/api/pull", body: Array(body.utf8))
        guard case .pull(let name, _, let streams) = answer else {
            Issue.record("no pull")
            return
        }
        #expect(name.description == "demo:latest")
        #expect(!streams)
    }

    @Test func aWrongMethodIsRefusedAsRecorded() throws {
        #expect(
            whole(try router().answer(method: "GET", path: "/api/pull", body: []))
                == WholeAnswer(status: 405, contentType: "text/plain", allow: "POST", body: "405 method not allowed")
        )
    }

    @Test func anUnknownPathIsNotFound() throws {
        #expect(whole(try router().answer(method: "GET", path: "/api/chat", body: []))?.status == 404)
    }

    @Test func theVersionIsTheRecordedOne() throws {
        #expect(
            whole(try router().answer(method: "GET", path: "/api/version", body: []))
                == WholeAnswer(body: #"{"version":"0.32.15"}"#)
        )
    }

    @Test func aPulledModelIsListedAndAnyOtherIsNot() throws {
        let router = try router(
            ScriptedModel(name: "demo", bytes: 1_000_000),
            ScriptedModel(name: "broken", bytes: 1_000_000, faults: [Fault(.error(afterBytes: 5, message: "no"))])
        )
        #expect(router.store.tags == #"{"models":[]}"#)
        _ = play(pull(router, "broken"), on: router)
        _ = play(pull(router, "demo"), on: router)
        let tags = router.store.tags
        let start = #"{"models":[{"name":"demo:latest","model":"demo:latest","modified_at":""#
        #expect(tags.hasPrefix(start))
        #expect(tags.contains(#"","size":1013879,"digest":""#))
        #expect(!tags.contains("broken"))
    }

    @Test func aSecondPullGoesOnWhereTheFirstWasCut() throws {
        let router = try router(
            ScriptedModel(name: "demo", bytes: 9_000_000, faults: [Fault(.cut(afterBytes: 4_000_000), times: 1)])
        )
        #expect(play(pull(router, "demo"), on: router)?.action == .cut)
        guard case .pull(_, var events, _) = pull(router, "demo") else { return }
        _ = events.next(now: 0)
        let second = events.next(now: 0)
        #expect(try LineFields(#require(second?.timedLine?.line)).completed == 4_000_000)
    }

    @Test func aLayerThatOneModelBroughtIsThereForTheNext() throws {
        let shared = ScriptedModel.Layer(seed: "shared", bytes: 8_000_000)
        let router = try router(
            ScriptedModel(name: "one", layers: [shared]),
            ScriptedModel(name: "two", layers: [shared])
        )
        _ = play(pull(router, "one"), on: router)
        guard case .pull(_, var events, _) = pull(router, "two") else { return }
        _ = events.next(now: 0)
        let second = events.next(now: 0)
        #expect(try LineFields(#require(second?.timedLine?.line)).completed == 8_000_000)
    }

    @Test func aFaultWithTimesIsOneOfTheFirstRequestsAlone() throws {
        let router = try router(
            ScriptedModel(name: "demo", bytes: 1_000_000, faults: [Fault(.status(503, body: "{}"), times: 2)]),
            ScriptedModel(name: "other", bytes: 1_000_000, faults: [Fault(.status(503, body: "{}"), times: 1)])
        )
        #expect(whole(pull(router, "demo")) == WholeAnswer(status: 503, body: "{}"))
        #expect(whole(pull(router, "demo"))?.status == 503)
        #expect(whole(pull(router, "demo")) == nil)
        #expect(whole(pull(router, "other"))?.status == 503)
    }

    @Test func aReplayKeepsItsLinesAndItsPace() throws {
        let lines = [(at: 0.0, line: "{}"), (at: 1.5, line: "what ever"), (at: 2.0, line: #"{"status":"success"}"#)]
        let router = try router(ScriptedModel(name: "demo", replaying: lines, speed: 2))
        let answer = pull(router, "demo")
        #expect(play(answer, on: router)?.at == 1_000_000_000)
        guard case .pull(_, var events, _) = answer else { return }
        #expect([events.next(now: 0), events.next(now: 0)].map { $0?.timedLine?.line } == ["{}", "what ever"])
        #expect(router.store.tags.contains("demo:latest"))
    }
}
