import Testing

@testable import OperationTracking

struct OperationNamesTests {
    @Test func madeIdsSortByTheTimeOfTheirMaking() {
        let ids = (0..<1000).map { OperationID.make(at: 1_767_225_600_000 + Int64($0 / 10)) }
        #expect(ids == ids.sorted())
        #expect(Set(ids).count == ids.count)
    }

    @Test func aMadeIdIsOneThatWouldBeAccepted() {
        let id = OperationID.make(at: 1_767_225_600_000)
        #expect(OperationID(rawValue: id.rawValue) == id)
    }

    @Test(arguments: ["op_1", "op_my-pull_7", "op_" + String(repeating: "x", count: 60)])
    func idsOfACallersOwnAreAccepted(_ text: String) {
        #expect(OperationID(rawValue: text)?.rawValue == text)
    }

    @Test(arguments: [
        "", "op_", "summary", "start", "op_a/b", "op_../x", "op_a b", "op_ä", "op_\u{0}",
        "op_" + String(repeating: "x", count: 61),
    ])
    func otherIdsAreNot(_ text: String) {
        #expect(OperationID(rawValue: text) == nil)
    }

    @Test(arguments: ["pull_model", "a", "x9"])
    func typesAreLowerCaseWords(_ text: String) {
        #expect(OperationType(rawValue: text)?.rawValue == text)
    }

    @Test(arguments: ["", "Pull", "9x", "_x", "a-b", "a b", String(repeating: "a", count: 65)])
    func otherTypesAreRefused(_ text: String) {
        #expect(OperationType(rawValue: text) == nil)
    }
}
