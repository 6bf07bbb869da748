import OperationTrackingTesting
import Testing

@testable import OperationTracking

struct RunPlacesTests {
    private func id(_ number: Int) -> OperationID {
        guard let id = OperationID(rawValue: "op_\(number)") else { preconditionFailure() }
        return id
    }

    @Test func asManyHavePlacesAsThereAre() {
        var places = RunPlaces(limit: 2, limitByType: [:])
        for number in 0..<2 { places.take(id(number), .seed, partOf: nil) }
        #expect(!places.hasRoom(for: .seed, partOf: nil))
        places.give(id(0))
        #expect(places.hasRoom(for: .seed, partOf: nil))
    }

    @Test func aTypeHasNoMoreThanItsOwnLimit() {
        var places = RunPlaces(limit: 10, limitByType: [.seed: 1])
        places.take(id(0), .seed, partOf: nil)
        #expect(!places.hasRoom(for: .seed, partOf: nil))
        #expect(places.hasRoom(for: .install, partOf: nil))
    }

    @Test func aLimitBelowOneIsOne() {
        #expect(RunPlaces(limit: 0, limitByType: [.seed: -1]).hasRoom(for: .seed, partOf: nil))
    }

    @Test func aWholeLendsItsPlaceToOnePartAtATime() {
        var places = RunPlaces(limit: 1, limitByType: [.seed: 1])
        places.take(id(0), .seed, partOf: nil)
        #expect(!places.hasRoom(for: .seed, partOf: id(9)))
        #expect(places.hasRoom(for: .seed, partOf: id(0)))
        places.take(id(1), .seed, partOf: id(0))
        #expect(!places.hasRoom(for: .seed, partOf: id(0)))
        // And the part to its own.
        #expect(places.hasRoom(for: .install, partOf: id(1)))
        places.give(id(1))
        #expect(places.hasRoom(for: .seed, partOf: id(0)))
        #expect(!places.hasRoom(for: .seed, partOf: nil))
    }

    @Test func aPartThatOutlivesItsWholeKeepsThePlace() {
        var places = RunPlaces(limit: 1, limitByType: [.seed: 1])
        places.take(id(0), .seed, partOf: nil)
        places.take(id(1), .seed, partOf: id(0))
        places.give(id(0))
        #expect(!places.hasRoom(for: .seed, partOf: nil))
        places.give(id(1))
        #expect(places.used == 0)
        #expect(places.hasRoom(for: .seed, partOf: nil))
    }

    /// Places never exceed the limit. Where no part outlives its whole, neither does what runs and doesn't wait for its parts.
    @Test(arguments: 0..<12)
    func noScheduleExceedsALimit(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let types: [OperationType] = [.seed, .install, .download]
        let partsEndFirst = seed.isMultiple(of: 2)
        let limit = Int.random(in: 1...4, using: &generator)
        let typeLimit = Int.random(in: 1...2, using: &generator)
        var places = RunPlaces(limit: limit, limitByType: [.seed: typeLimit])
        var running: [OperationID: (type: OperationType, whole: OperationID?)] = [:]
        for number in 0..<150 {
            let whole = Bool.random(using: &generator) ? running.keys.sorted().randomElement(using: &generator) : nil
            let type = types.randomElement(using: &generator) ?? .seed
            if Int.random(in: 0..<3, using: &generator) > 0, places.hasRoom(for: type, partOf: whole) {
                places.take(id(number), type, partOf: whole)
                running[id(number)] = (type, whole)
            } else if let old = running.keys.sorted().filter({ id in
                !partsEndFirst || !running.values.contains { $0.whole == id }
            }).randomElement(using: &generator) {
                places.give(old)
                running[old] = nil
            }
            #expect(places.runningCount == running.count)
            #expect(places.used <= limit)
            guard partsEndFirst else { continue }
            // Each that waits for its parts stands for at most one of them.
            let wholes = Set(running.values.compactMap(\.whole)).intersection(running.keys)
            #expect(running.count - wholes.count <= limit)
            let seeds = running.filter { $0.value.type == .seed }
            let seedWholes = Set(seeds.values.compactMap(\.whole)).intersection(seeds.keys)
            #expect(seeds.count - seedWholes.count <= typeLimit)
        }
        for old in running.keys { places.give(old) }
        #expect(places.used == 0)
        #expect(places.runningCount == 0)
    }
}
