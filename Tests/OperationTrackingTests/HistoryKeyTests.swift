#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking
import Testing

@Suite struct HistoryKeyTests {
    @Test func keysSortByTheMomentOfCreationThenByTheOrderOfMaking() {
        var sequence = HistoryKeySequence()
        let late = Date(milliseconds: 1_700_000_000_001)
        let early = Date(milliseconds: 1_700_000_000_000)
        let keys = [late, late, late, early].map { sequence.next(createdAt: $0) }
        #expect(keys[0] < keys[1] && keys[1] < keys[2])
        #expect(keys[3] < keys[0])
    }

    @Test func aKeyStaysInItsMillisecondHoweverOftenItIsDrawn() {
        var sequence = HistoryKeySequence()
        let moment = Date(milliseconds: 1_700_000_000_000)
        let next = HistoryKey(lowestAt: Date(milliseconds: 1_700_000_000_001))
        for _ in 0..<5000 {
            let key = sequence.next(createdAt: moment)
            #expect(key >= HistoryKey(lowestAt: moment) && key < next)
            #expect(key.redrawn() >= HistoryKey(lowestAt: moment) && key.redrawn() < next)
        }
    }

    @Test(arguments: [-1e300, -1, 0, 1e12, 1e300, .infinity])
    func everyMomentHasAKey(seconds: Double) {
        let key = HistoryKey(lowestAt: Date(timeIntervalSince1970: seconds))
        #expect(key.rawValue >= 0 && key < .end)
    }

    @Test func aCursorComesBackAsItsKey() throws {
        for key in [HistoryKey(rawValue: 0), HistoryKey(rawValue: 0x1234_5678_9abc), .end] {
            #expect(try HistoryCursor.key(.audit, in: HistoryCursor.text(.audit, after: key)) == key)
        }
        #expect(try HistoryCursor.key(.operations, in: nil) == .end)
    }
}
