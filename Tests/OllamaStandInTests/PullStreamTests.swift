import Testing

@testable import OllamaStandIn

/// The lines of a scripted pull, without a clock.
struct PullStreamTests {
    static let model = ScriptedModel.Layer(seed: "model", bytes: 10_000_000)
    static let adapter = ScriptedModel.Layer(seed: "adapter", bytes: 5_000_000)
    static let millisecond = 1_000_000

    /// 10 MB and 5 MB at 10 MB/s: 1.5 s without latency.
    func script(layers: [ScriptedModel.Layer] = [model, adapter], latency: Int = 0) -> PullScript {
        PullScript(
            layers: layers,
            link: .steady(10_000_000),
            registryLatency: latency,
            hashingRate: 100_000_000,
            lineInterval: 60 * Self.millisecond
        )
    }

    @Test func aResumedLayerBeginsWithTheKeptBytes() throws {
        var stream = PullStream(script(layers: [Self.model]), kept: [Self.model.digest: 4_000_000])
        let events = events(of: &stream)
        #expect(try fields(events)[1].completed == 4_600_000)
        #expect(events.last?.at == 600 * Self.millisecond + 100 * Self.millisecond)
    }

    @Test func aLayerWithoutABytesYetOmitsCompleted() throws {
        var stream = PullStream(script(latency: 50 * Self.millisecond))
        let lines = try fields(events(of: &stream))
        #expect(lines[1].completed == nil)
        #expect(lines[2].completed == 200_000)
    }

    @Test func theFirstLineOfALayerIsOneIntervalAfterItsSizeIsKnown() {
        var stream = PullStream(script(latency: 70 * Self.millisecond))
        #expect(events(of: &stream)[1].at == (70 + 70 + 60) * Self.millisecond)
    }

    @Test func theSecondMentionOfALayerIsOneLineThatSaysWhole() throws {
        var stream = PullStream(script(layers: [Self.model, Self.model]))
        let lines = try fields(events(of: &stream))
        #expect(lines.filter { $0.completed == Self.model.bytes }.count == 1)
        #expect(lines.dropLast(3).last?.completed == Self.model.bytes)
    }

    @Test func aLayerThatIsDoneWithinAnIntervalHasNoLine() throws {
        let tiny = ScriptedModel.Layer(seed: "tiny", bytes: 500_000)
        var stream = PullStream(script(layers: [tiny]))
        #expect(try fields(events(of: &stream)).allSatisfy { $0.digest == nil })
        #expect(stream.arrived == [tiny.digest: tiny.bytes])
    }

    @Test func anEmptyLayerHasOneLineWithoutTotal() {
        let empty = ScriptedModel.Layer(seed: "empty", bytes: 0)
        var stream = PullStream(script(layers: [empty]))
        #expect(
            events(of: &stream)[1].timedLine?.line
                == #"{"status":"pulling \#(empty.digest.dropFirst(7).prefix(12))","digest":"\#(empty.digest)"}"#
        )
    }

    @Test func hashingIsSilentForAsLongAsTheDownloadedBytesTake() {
        var stream = PullStream(script(), kept: [Self.model.digest: Self.model.bytes])
        let last = events(of: &stream).suffix(3).map(\.at)
        #expect(last[1] - last[0] == 50 * Self.millisecond)
        #expect(last[2] == last[1])
    }

    @Test func successIsKnownWithItsLineAndNotBefore() {
        var stream = PullStream(script())
        var before = stream.hasSucceeded
        while let event = stream.next(now: 0) {
            let isLast = event.timedLine?.line == #"{"status":"success"}"#
            #expect(!before)
            #expect(stream.hasSucceeded == isLast)
            before = stream.hasSucceeded
        }
        #expect(before)
        #expect(stream.next(now: 0) == nil)
    }

    @Test func anErrorIsTheLastLineAfterItsBytes() throws {
        var stream = PullStream(script(), faults: [.error(afterBytes: 12_000_000, message: "no <space> left")])
        let events = events(of: &stream)
        #expect(events.last?.timedLine?.line == #"{"error":"no \u003cspace\u003e left"}"#)
        #expect(events.last?.at == 1_200 * Self.millisecond)
        #expect(stream.arrived == [Self.model.digest: 10_000_000, Self.adapter.digest: 2_000_000])
        #expect(!stream.hasSucceeded)
    }

    @Test func aCutKeepsTheBytesThatHaveArrived() {
        var stream = PullStream(script(), kept: [Self.model.digest: 1_000_000], faults: [.cut(afterBytes: 3_000_000)])
        let events = events(of: &stream)
        #expect(events.last == PullEvent(at: 300 * Self.millisecond, action: .cut))
        #expect(stream.arrived == [Self.model.digest: 4_000_000])
    }

    @Test func aFaultAtTheLastByteComesBeforeTheEndOfTheLayer() {
        var stream = PullStream(script(), faults: [.cut(afterBytes: 10_000_000)])
        #expect(events(of: &stream).last == PullEvent(at: 1_000 * Self.millisecond, action: .cut))
    }

    @Test func aFaultBeyondTheDownloadHasNoEffect() {
        var stream = PullStream(script(), faults: [.cut(afterBytes: 15_000_001)])
        _ = events(of: &stream)
        #expect(stream.hasSucceeded)
    }

    @Test func completedFallsAndTheLayerIsPulledToItsEnd() throws {
        var stream = PullStream(script(), faults: [.completedFalls(afterBytes: 6_000_000, to: 2_000_000)])
        let events = events(of: &stream)
        let completed = try fields(events).compactMap { $0.digest == Self.model.digest ? $0.completed : nil }
        #expect(zip(completed, completed.dropFirst()).filter { $0 > $1 }.count == 1)
        #expect(events.last?.at == (1_500 + 400 + 150) * Self.millisecond)
        #expect(stream.hasSucceeded)
    }

    @Test func aStallRepeatsItsLineAndThenGoesOn() throws {
        var stream = PullStream(script(), faults: [.stall(afterBytes: 5_000_000, for: .seconds(3))])
        let events = events(of: &stream)
        #expect(try fields(events).filter { $0.completed == 5_000_000 }.count == 50)
        #expect(events.last?.at == (1_500 + 3_000 + 150) * Self.millisecond)
    }

    @Test func aStallAtTheLastByteDoesNotSayThatTheLayerIsWhole() throws {
        var stream = PullStream(script(), faults: [.stall(afterBytes: 10_000_000, for: .seconds(1))])
        #expect(try fields(events(of: &stream)).allSatisfy { $0.digest == nil || $0.completed != $0.total })
    }

    @Test func bytesOfEarlierLayersAndFaultsCountForALaterFault() {
        var stream = PullStream(
            script(),
            faults: [.stall(afterBytes: 3_000_000, for: .seconds(1)), .cut(afterBytes: 12_000_000)]
        )
        #expect(events(of: &stream).last == PullEvent(at: 2_200 * Self.millisecond, action: .cut))
    }

    @Test func aHangSendsLinesForEver() throws {
        var stream = PullStream(script(), faults: [.hang(afterBytes: 600_000)])
        let lines = try fields(events(of: &stream, limit: 5_000).dropFirst().map { $0 })
        #expect(lines.count == 4_999)
        #expect(lines.allSatisfy { $0.completed == 600_000 })
    }

    @Test func faultsHappenInTheOrderOfTheirBytes() {
        var stream = PullStream(
            script(),
            faults: [.cut(afterBytes: 2_000_000), .stall(afterBytes: 1_000_000, for: .seconds(1))]
        )
        #expect(events(of: &stream).last == PullEvent(at: 1_200 * Self.millisecond, action: .cut))
    }

    @Test func aMismatchTakesTheFirstLayerBackAndKeepsTheOthers() {
        var stream = PullStream(script(), faults: [.digestMismatch])
        _ = events(of: &stream)
        #expect(stream.arrived == [Self.model.digest: 0, Self.adapter.digest: Self.adapter.bytes])
        #expect(!stream.hasSucceeded)
    }

    @Test func aServerThatWasFrozenSendsOneLineAndNoBurst() throws {
        var stream = PullStream(script())
        _ = stream.next(now: 0)
        _ = stream.next(now: 0)
        let next = stream.next(now: 790 * Self.millisecond)
        let late = try #require(next)
        #expect(late.at == 780 * Self.millisecond)
        #expect(try LineFields(#require(late.timedLine).line).completed == 7_800_000)
        #expect(stream.next(now: 790 * Self.millisecond)?.at == 840 * Self.millisecond)
    }

    @Test func aVerySlowLinkMovesNoByteLessThanItsRate() throws {
        let slow = PullScript(
            layers: [ScriptedModel.Layer(seed: "slow", bytes: 10)],
            link: .steady(5),
            registryLatency: 0,
            hashingRate: 1,
            lineInterval: 60 * Self.millisecond
        )
        var stream = PullStream(slow)
        let lines = try fields(events(of: &stream))
        #expect(lines.last { $0.digest != nil }?.completed == 9)
        #expect(stream.arrived.values.first == 10)
    }

    @Test func anEndlessDurationDoesNotOverflow() {
        var stream = PullStream(script(), faults: [.stall(afterBytes: 0, for: .seconds(Int64.max))])
        #expect(events(of: &stream, limit: 1_000).count == 1_000)
    }
}
