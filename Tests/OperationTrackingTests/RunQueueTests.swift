import OperationTrackingTesting
import Testing

@testable import OperationTracking

struct RunQueueTests {
    private static let second: Int64 = 1_000_000_000

    private static func id(_ number: Int) -> OperationID { .make(at: Int64(number)) }

    @Test func withinALevelTheFirstComeIsTheFirstServed() {
        var queue = RunQueue(ageing: .seconds(60))
        let ids = (0..<5).map(Self.id)
        for id in ids { queue.insert(id, type: .download, priority: .normal, at: 0) }
        #expect(queue.ids == ids)
    }

    @Test func aHigherLevelGoesFirst() {
        var queue = RunQueue(ageing: .seconds(60))
        let ids = OperationPriority.allCases.map { priority in
            let id = Self.id(1)
            queue.insert(id, type: .download, priority: priority, at: 0)
            return id
        }
        #expect(queue.ids == ids.reversed())
    }

    @Test func whatHasWaitedALevelsTimeLongerGoesBeforeTheNextLevelsNewcomers() {
        var queue = RunQueue(ageing: .seconds(60))
        let (old, early, late) = (Self.id(1), Self.id(2), Self.id(3))
        queue.insert(old, type: .download, priority: .normal, at: 0)
        queue.insert(early, type: .download, priority: .high, at: 59 * Self.second)
        queue.insert(late, type: .download, priority: .high, at: 61 * Self.second)
        #expect(queue.ids == [early, old, late])
    }

    @Test(arguments: [Duration.seconds(Int64.max), .seconds(10_000_000_000), .seconds(Int64.min)])
    func anySpanOfAgeingCanBeCountedWith(_ ageing: Duration) {
        var queue = RunQueue(ageing: ageing)
        let now: Int64 = 1 << 60
        for priority in OperationPriority.allCases {
            queue.insert(Self.id(1), type: .download, priority: priority, at: now)
        }
        #expect(queue.count == OperationPriority.allCases.count)
    }

    @Test func aChangedPriorityCountsFromWhenItCame() {
        var queue = RunQueue(ageing: .seconds(60))
        let (first, second) = (Self.id(1), Self.id(2))
        queue.insert(first, type: .download, priority: .normal, at: 0)
        queue.insert(second, type: .download, priority: .normal, at: 1)
        queue.reprioritise(second, to: .urgent)
        #expect(queue.ids == [second, first])
        queue.reprioritise(second, to: .normal)
        #expect(queue.ids == [first, second])
        queue.reprioritise(Self.id(9), to: .urgent)
        #expect(queue.count == 2)
    }

    @Test func whatMayNotBeginIsPassedOverAndKeepsItsPlace() {
        var queue = RunQueue(ageing: .seconds(60))
        let (pull, download) = (Self.id(1), Self.id(2))
        queue.insert(pull, type: .pullModel, priority: .urgent, at: 0)
        queue.insert(download, type: .download, priority: .low, at: 0)
        #expect(queue.takeFirst { $0.type != .pullModel }?.id == download)
        #expect(queue.takeFirst { _ in false } == nil)
        #expect(queue.ids == [pull])
    }

    @Test func nothingWaitsForEver() {
        var generator = SeededGenerator(seed: 7)
        var queue = RunQueue(ageing: .seconds(60))
        var enqueued: [OperationID: (Int64, OperationPriority)] = [:]
        for round in 0..<5000 {
            let now = Int64(round) * Self.second
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                let id = Self.id(round)
                let priority = OperationPriority.allCases.randomElement(using: &generator) ?? .low
                queue.insert(id, type: .download, priority: priority, at: now)
                enqueued[id] = (now, priority)
            }
            guard let taken = queue.takeFirst(where: { _ in true }), let mine = enqueued[taken.id] else { continue }
            // Nobody who is left has waited so much longer that its level doesn't explain it.
            for id in queue.ids.prefix(20) {
                guard let other = enqueued[id] else { continue }
                let headStart = (mine.1.rank - other.1.rank) * 60 * Self.second
                #expect(mine.0 - other.0 <= headStart)
            }
        }
    }
}
