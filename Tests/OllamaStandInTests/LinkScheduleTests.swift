import Testing

@testable import OllamaStandIn

struct LinkScheduleTests {
    static let second = 1_000_000_000
    let varying: LinkSchedule = [
        .init(seconds: 2, bytesPerSecond: 100), .init(seconds: 1, bytesPerSecond: 0),
        .init(seconds: 1, bytesPerSecond: 10),
    ]

    @Test func bytesAddUpOverStretches() {
        #expect(varying.bytes(from: 0, to: 2 * Self.second) == 200)
        #expect(varying.bytes(from: Self.second, to: 4 * Self.second) == 110)
        #expect(varying.bytes(from: 5 * Self.second, to: 5 * Self.second) == 0)
        #expect(varying.bytes(from: 5 * Self.second, to: Self.second) == 0)
    }

    @Test func theLastStretchLastsForEver() {
        #expect(varying.bytes(from: 0, to: 103 * Self.second) == 1_200)
        #expect(varying.time(toMove: 1_200, from: 0) == 103 * Self.second)
    }

    @Test func timeToMoveCrossesADeadStretch() {
        #expect(varying.time(toMove: 200, from: 0) == 2 * Self.second)
        #expect(varying.time(toMove: 205, from: 0) == 3 * Self.second + Self.second / 2)
    }

    @Test func nothingTakesNoTime() {
        #expect(LinkSchedule.steady(0).time(toMove: 0, from: 7) == 7)
    }

    @Test func aLinkThatIsDeadForEverNeverMovesTheRest() {
        let dying: LinkSchedule = [.init(seconds: 1, bytesPerSecond: 100), .init(seconds: 1, bytesPerSecond: 0)]
        #expect(dying.time(toMove: 101, from: 0) == nil)
        #expect(dying.bytes(from: 0, to: 1_000 * Self.second) == 100)
    }

    @Test func aRepeatingScheduleStartsOver() {
        let link = LinkSchedule(
            [.init(seconds: 1, bytesPerSecond: 100), .init(seconds: 1, bytesPerSecond: 0)],
            repeats: true
        )
        #expect(link.bytes(from: 0, to: 7 * Self.second) == 400)
        #expect(link.time(toMove: 350, from: 0) == 6 * Self.second + Self.second / 2)
    }

    @Test(arguments: [1, 3, 999, 32_768, 40_000_000])
    func whatHasTimeToMoveHasMovedThen(bytes: Int) throws {
        let link: LinkSchedule = [
            .init(seconds: 0.3, bytesPerSecond: 333_333), .init(seconds: 1, bytesPerSecond: 777_777),
        ]
        let time = try #require(link.time(toMove: bytes, from: 17))
        #expect(link.bytes(from: 17, to: time) >= bytes)
        #expect(link.bytes(from: 17, to: time - 5_000) < bytes)
    }
}
