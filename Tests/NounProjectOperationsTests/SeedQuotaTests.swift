import Foundation
import OperationTracking
import OperationTrackingTesting
import OperationTransfer
import Synchronization
import Testing

@testable import NounProjectOperations

/// Quotas, refusals that pass, faults, and going on after them.
struct SeedQuotaTests {
    private typealias Request = SeedIconsProvider.Request
    private let four = SeedIconsProvider.Request(categories: ["ui": ["check", "close", "menu", "plus"]])

    @Test func aMinuteHasNoMoreCallsThanAllowed() async throws {
        let fixture = SeedFixture(clock: ManualClock())
        let ending = try await fixture.run(four, fixture.provider(limits: CallLimits(perMinute: 3)))
        #expect(ending.output?.added == 4)
        let times = fixture.callTimes
        #expect(times.count == 8)
        for (first, fourth) in zip(times, times.dropFirst(3)) { #expect(fourth - first >= 60_000) }
        // No longer than needed either: two full minutes.
        #expect(times[7] - times[0] < 125_000)
        #expect(ending.told.contains("\"phase\":\"waiting for quota\""))
        #expect(ending.told.contains(" UTC. 3 calls a minute are allowed, 4997 are left today."))
    }

    @Test func theRemainingTimeKnowsOfTheQuota() async throws {
        let clock = ManualClock()
        let fixture = SeedFixture(clock: clock)
        let tracker = OperationTracker(clock: clock)
        let provider = fixture.provider(limits: CallLimits(perMinute: 3))
        let running = try await OperationRunner(tracker: tracker).submit(four, to: provider)
        while tracker.operation(running.id)?.phase != "waiting for quota" { await briefPause() }
        // Eight calls, three a minute: the last but one and the last come in the third minute.
        while tracker.operation(running.id)?.remaining == nil {
            // The ticker and the run: without the one, time would go on to where the other waits for.
            if clock.sleeperCount > 1 { clock.advanceToNextSleeper() }
            await briefPause()
        }
        let remaining = try #require(tracker.operation(running.id)?.remaining)
        #expect(remaining.low > 118)
        #expect(remaining.expected >= remaining.low && remaining.high >= remaining.expected)
        try await tracker.cancel(running.id)
        _ = try? await running.output
    }

    @Test func aUsedUpDayIsTheEndAndTheNextDayGoesOn() async throws {
        let clock = ManualClock()
        let fixture = SeedFixture(clock: clock)
        let countFile = fixture.base + "/calls.json"
        try FileManager.default.createDirectory(atPath: fixture.base, withIntermediateDirectories: true)
        let limits = CallLimits(perDay: 5)
        let first = try await fixture.run(four, fixture.provider(limits: limits, countFile: countFile))
        #expect(first.operation.failure?.code == .quotaExhausted)
        #expect(first.operation.failure?.message.contains("after 2026-01-02 00:00 UTC") == true)
        #expect(fixture.files == ["index.json"] + ["check", "close"].map { "ui/\($0)-\(SeedFixture.id(of: $0)).svg" })
        // A new provider, as after a restart, has the same count.
        let again = try await fixture.run(four, fixture.provider(limits: limits, countFile: countFile))
        #expect(again.operation.failure?.code == .quotaExhausted)
        #expect(fixture.asked.count == 5)
        await clock.advance(by: .seconds(86_400))
        let next = try await fixture.run(four, fixture.provider(limits: limits, countFile: countFile))
        #expect(next.output?.added == 2)
        #expect(next.output?.skipped == 2)
        #expect(fixture.asked.count == 9)
        #expect(Set(fixture.downloads).count == 4)
    }

    @Test func anExhaustedKeyIsTheEndAndSaysWhenToGoOn() async throws {
        for status in [403, 429] {
            let fixture = SeedFixture(clock: ManualClock()) { path, query in
                guard query["query"] == "menu" else { return nil }
                return .json(#"{"usage_limits": {"monthly": {"limit": 10, "usage": 10}}}"#, status: status)
            }
            let failure = try await fixture.run(four).operation.failure
            #expect(failure?.code == .quotaExhausted)
            #expect(failure?.message.contains("after 2026-02-01 00:00 UTC") == true)
            #expect(fixture.files.count == 3)
        }
    }

    @Test func whatTheLastAnswerSaidOfTheQuotaExplainsARefusal() async throws {
        let fixture = SeedFixture(clock: ManualClock()) { path, _ in
            path.hasSuffix("/download")
                ? .json("", status: 429) : SeedFixture.found(["5"], usage: #"{"hourly": {"limit": 9, "usage": 9}}"#)
        }
        let failure = try await fixture.run(four).operation.failure
        #expect(failure?.code == .quotaExhausted)
        #expect(failure?.message.contains("after 2026-01-01 01:00 UTC") == true)
    }

    @Test func theTighterQuotaIsShown() async throws {
        let fixture = SeedFixture { path, _ in
            path.hasSuffix("/icon")
                ? SeedFixture.found(["5"], usage: #"{"monthly": {"limit": 5000, "usage": 4993}}"#) : nil
        }
        let ending = try await fixture.run(Request(categories: ["ui": ["check"]]))
        #expect(ending.operation.message?.contains("7 calls left of the key's monthly quota") == true)
    }

    @Test(arguments: [("30", 30_000), (nil, 60_000), ("Thu, 01 Jan 2026 00:02:00 GMT", 115_000)] as [(String?, Int64)])
    func tooManyCallsAreWaitedFor(retryAfter: String?, wait: Int64) async throws {
        let refusals = Atomic(0)
        let fixture = SeedFixture(clock: ManualClock()) { path, _ in
            guard path.hasSuffix("/download"), refusals.add(1, ordering: .relaxed).oldValue < 1 else { return nil }
            return .json("", status: 429, headers: retryAfter.map { ["Retry-After": $0] } ?? [:])
        }
        let ending = try await fixture.run(Request(categories: ["ui": ["check"]]))
        #expect(ending.output?.added == 1)
        let times = fixture.callTimes
        #expect(times[2] - times[1] >= wait)
        #expect(times[2] - times[1] < wait + 6000)
        #expect(ending.told.contains("asks to be called less often."))
    }

    @Test func endlessRefusalsAreGivenUp() async throws {
        let fixture = SeedFixture(clock: ManualClock()) { _, _ in .json("", status: 429, headers: ["Retry-After": "5"])
        }
        #expect(try await fixture.run(four).operation.failure?.code == .rateLimited)
        #expect(fixture.asked.count == 4)
        fixture.setRule { _, _ in .json("", status: 429, headers: ["Retry-After": "86400"]) }
        let failure = try await fixture.run(four).operation.failure
        #expect(failure?.code == .rateLimited)
        #expect(failure?.message.contains("2026-01-02 00:0") == true)
        #expect(fixture.asked.count == 5)
    }

    @Test func oneFaultIsAWarningAndThreeInARowAreTheEnd() async throws {
        let fixture = SeedFixture { _, query in query["query"] == "close" ? .json("", status: 500) : nil }
        let one = try await fixture.run(four)
        #expect(one.output?.added == 3)
        #expect(one.output?.errors.map(\.code) == [.serverError])
        fixture.setRule { path, _ in path.hasSuffix("/icon") ? .json("<html>", status: 200) : nil }
        let more = Request(categories: ["ui": ["a", "b", "c", "d", "e"]])
        #expect(try await fixture.run(more).operation.failure?.code == .protocolError)
        #expect(fixture.asked.count == 7 + 3)
    }

    @Test func whatFailedInARowIsTriedAgain() async throws {
        let faults = Atomic(0)
        let fixture = SeedFixture(clock: ManualClock()) { _, query in
            guard query["query"] != nil, query["query"] != "check" else { return nil }
            return faults.add(1, ordering: .relaxed).oldValue < 3 ? .json("", status: 503) : nil
        }
        let ending = try await fixture.run(four, retry: RetryPolicy())
        #expect(ending.operation.attempt == 2)
        #expect(ending.output?.added == 4)
        #expect(ending.output?.errors == [])
        #expect(fixture.downloads.count == 4)
    }

    @Test func aLostConnectionIsTriedAgainFromWhereItWas() async throws {
        let losses = Atomic(0)
        let fixture = SeedFixture(clock: ManualClock()) { path, _ in
            guard path.hasSuffix("/\(SeedFixture.id(of: "menu", 1))/download") else { return nil }
            if losses.add(1, ordering: .relaxed).oldValue < 2 { throw TransferError(.connectionLost, "It was cut.") }
            return nil
        }
        let request = Request(categories: four.categories, perTerm: 2)
        let ending = try await fixture.run(request, retry: RetryPolicy())
        #expect(ending.operation.attempt == 3)
        #expect(ending.output?.added == 8)
        #expect(ending.output?.skipped == 0)
        #expect(ending.operation.progress.totalUnits == 8)
        #expect(ending.operation.progress.completedUnits == 8)
        // The lost one was asked for three times, all others once.
        #expect(fixture.downloads.count == 10)
        #expect(fixture.asked.count { $0.contains("?menu") } == 3)
    }

    @Test func aFailureLeavesNoEntryWithoutAFile() async throws {
        let fixture = SeedFixture { path, _ in
            guard path.hasSuffix("/\(SeedFixture.id(of: "check", 1))/download") else { return nil }
            throw TransferError(.connectionLost, "It was cut.")
        }
        let ending = try await fixture.run(Request(categories: ["ui": ["check"]], perTerm: 3))
        #expect(ending.operation.failure?.code == .connectionLost)
        #expect(fixture.index?["icons"]?.object?.count == 1)
        #expect(fixture.files.count == 2)
    }
}

/// The count of calls itself.
struct CallLogTests {
    @Test func callsAreAllowedAsLongAsTheLastMinuteHasFewer() {
        let limits = CallLimits(perMinute: 2, perDay: 100)
        var log = CallLog()
        let start: Int64 = 1_767_225_600_000
        for (time, expected) in [
            (Int64(0), CallLog.Verdict.go), (10_000, .go), (20_000, .wait(40_000)), (59_999, .wait(1)), (60_000, .go),
            (60_001, .wait(9_999)),
        ] {
            log.advance(to: start + time)
            let verdict = log.verdict(onCall: 1, limits, at: start + time)
            #expect(verdict == expected)
            if verdict == .go { log.record(at: start + time) }
        }
    }

    /// The outlook agrees with what happens when the calls are made one by one.
    @Test func theOutlookIsWhatComes() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<200 {
            let limits = CallLimits(perMinute: Int.random(in: 1...5, using: &generator))
            var log = CallLog()
            var now: Int64 = 1_767_225_600_000
            for _ in 0..<Int.random(in: 0...5, using: &generator) {
                now += Int64.random(in: 0...30_000, using: &generator)
                log.advance(to: now)
                if log.verdict(onCall: 1, limits, at: now) == .go { log.record(at: now) }
            }
            let count = Int.random(in: 1...20, using: &generator)
            let start = now
            let outlook = log.verdict(onCall: count, limits, at: start)
            for number in 1...count {
                while case .wait(let wait) = log.verdict(onCall: 1, limits, at: now) {
                    now += wait
                    log.advance(to: now)
                }
                if number < count { log.record(at: now) }
            }
            #expect(outlook == (now == start ? .go : .wait(now - start)))
        }
    }

    @Test func aDayBeginsAnewInUTC() {
        let limits = CallLimits(perMinute: 10, perDay: 2)
        var log = CallLog()
        let evening: Int64 = 1_767_225_600_000 - 1
        for _ in 0..<2 {
            log.advance(to: evening)
            log.record(at: evening)
        }
        #expect(log.verdict(onCall: 1, limits, at: evening) == .exhausted(until: evening + 1))
        log.advance(to: evening + 1)
        #expect(log.verdict(onCall: 1, limits, at: evening + 1) == .go)
        #expect(log.verdict(onCall: 3, limits, at: evening + 1) == .exhausted(until: evening + 1 + 86_400_000))
    }

    @Test func aClockThatGoesBackLocksNobodyOut() {
        let limits = CallLimits(perMinute: 1, perDay: 5)
        var log = CallLog()
        log.advance(to: 9_000_000_000_000)
        log.record(at: 9_000_000_000_000)
        log.advance(to: 1_767_225_600_000)
        #expect(log.verdict(onCall: 1, limits, at: 1_767_225_600_000) == .go)
    }

    @Test(arguments: [
        "", "{", "[1]", #"{"day": "x", "calls": 1, "recent": []}"#, #"{"day":1,"calls":-5,"recent":[9,1]}"#,
    ])
    func aBrokenFileCountsForNothing(_ text: String) async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "calls-\(UUID().uuidString).json").path
        defer { for name in [path, path + ".lock"] { try? FileManager.default.removeItem(atPath: name) } }
        try Data(text.utf8).write(to: URL(filePath: path))
        let budget = CallBudget(limits: CallLimits(), path: path)
        #expect(try await budget.take(at: 1_767_225_600_000).verdict == .go)
        #expect(try await CallBudget(limits: CallLimits(), path: path).take(at: 1_767_225_600_001).leftToday == 4998)
    }

    @Test(.timeLimit(.minutes(10))) func aPipeInTheFilesPlaceIsNotWaitedForAndGoes() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "calls-\(UUID().uuidString).json").path
        defer { for name in [path, path + ".lock"] { try? FileManager.default.removeItem(atPath: name) } }
        try #require(mkfifo(path, 0o600) == 0)
        let budget = CallBudget(limits: CallLimits(), path: path)
        #expect(try await budget.take(at: 1_767_225_600_000).verdict == .go)
        #expect(try await budget.take(at: 1_767_225_600_001).leftToday == 4998)
    }

    @Test func callsOfSeveralAtOnceAreAllCounted() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "calls-\(UUID().uuidString).json").path
        defer { for name in [path, path + ".lock"] { try? FileManager.default.removeItem(atPath: name) } }
        let allowed = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<30 {
                group.addTask {
                    let budget = CallBudget(limits: CallLimits(perMinute: 20), path: path)
                    return try await budget.take(at: 1_767_225_600_000).verdict == .go
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(allowed == 20)
    }

    @Test func aFolderThatIsNotThereIsSaidSo() async throws {
        let budget = CallBudget(limits: CallLimits(), path: "/no/such/folder/calls.json")
        let failure = await #expect(throws: OperationFailure.self) { try await budget.take(at: 0) }
        #expect(failure?.code.rawValue == "storage_error")
    }
}
