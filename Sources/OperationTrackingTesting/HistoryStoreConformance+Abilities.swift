#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import OperationTracking

extension HistoryStoreCheck {
    func auditLogHasStartsEndsAndEntries(_ log: any AuditLog) async throws {
        var record = Sample.record("audit", type: "check_audit", at: 5)
        record.startedBy = "checker"
        try await enqueue([record])
        try await enqueue([record])
        try await commit(Sample.ended(record, .cancelled))
        // Started and ended within one group: both are noted all the same.
        let brief = Sample.record("audit_brief", type: "check_audit", at: 5)
        store.enqueue(brief)
        try await commit(Sample.ended(brief, .completed))
        var unbegun = Sample.ended(Sample.record("audit_pending", type: "check_audit", at: 5), .cancelled)
        unbegun.operation.startedAt = nil
        try await commit(unbegun)
        let own = AuditEntry(at: Sample.epoch, actor: "checker", action: "process.killed", detail: "pid 4711")
        log.append(own)
        try await enqueue([])

        var entries: [AuditEntry] = []
        var cursor: String?
        repeat {
            let page = try await log.auditEntries(cursor: cursor, limit: 7)
            entries += page.entries
            cursor = page.nextCursor
        } while cursor != nil
        func actions(_ record: OperationRecord) -> [String] {
            entries.filter { $0.operationID == record.operation.id }.map { "\($0.actor) \($0.action)" }
        }
        try expect(
            "The log has each start and end once, newest first, with who did it.",
            actions(record),
            is: ["checker operation.cancelled", "checker operation.started"]
        )
        try expect(
            "The log has the start of an operation that was brief.",
            actions(brief),
            is: ["unknown operation.completed", "unknown operation.started"]
        )
        try expect(
            "An operation that never ran has an end and no start.",
            actions(unbegun),
            is: ["unknown operation.cancelled"]
        )
        try expect("An entry comes back as it was appended.", entries.filter { $0.action == own.action }, is: [own])
        // All of it within one group, where the store groups.
        let ending = Sample.record("audit_order", type: "check_audit", at: 5)
        store.enqueue(ending)
        log.append(AuditEntry(at: Sample.epoch, actor: "checker", action: own.action, operationID: ending.operation.id))
        try await commit(Sample.ended(ending, .completed))
        let inOrder = try await log.auditEntries(of: ending.operation.id, cursor: nil, limit: 10)
        try expect(
            "What was appended between an operation's start and its end stands there in the log.",
            inOrder.entries.map(\.action),
            is: ["operation.completed", own.action, "operation.started"]
        )
        let newest = try await log.auditEntries(of: record.operation.id, cursor: nil, limit: 1)
        let oldest = try await log.auditEntries(of: record.operation.id, cursor: newest.nextCursor, limit: 1)
        try expect(
            "The log gives one operation's entries alone, page by page.",
            (newest.entries + oldest.entries).map(\.action),
            is: ["operation.cancelled", "operation.started"]
        )
        try expect("The last page of one operation's entries has no next.", oldest.nextCursor, is: nil)
        for cursor in ["x", "o0000000000000001"] {
            try await expectError(.invalidCursor, "The log refuses the cursor '\(cursor)'.") {
                _ = try await log.auditEntries(cursor: cursor, limit: 1)
            }
        }
    }

    func aUniqueKeyHasOneActiveOperation(_ shared: any SharedHistory) async throws {
        var first = Sample.record("claim1", type: "check_claim", at: 1)
        first.uniqueKey = "the same work"
        var second = Sample.record("claim2", type: "check_claim", at: 2)
        second.uniqueKey = first.uniqueKey
        try expect("The first to claim a key gets it.", try await shared.claim(first), is: nil)
        try expect("A claim writes the row.", try await store.record(first.operation.id), is: first)
        let holder = try await shared.claim(second)?.operation.id
        try expect("Who claims a taken key is told who has it.", holder, is: first.operation.id)
        try expect("Who claims a taken key writes nothing.", try await store.record(second.operation.id), is: nil)
        try await commit(Sample.ended(first, .completed))
        try expect("A key is free again when its operation has ended.", try await shared.claim(second), is: nil)

        var later = Sample.record("claim1", type: "check_claim", at: 3)
        later.uniqueKey = "other work"
        let earlier = try await shared.claim(later)
        try expect("Who claims an id that was another's is told whose.", earlier?.uniqueKey, is: first.uniqueKey)
        let kept = try await store.record(first.operation.id)?.uniqueKey
        try expect("Who claims a taken id changes nothing.", kept, is: first.uniqueKey)

        let mine = try await shared.orphans().map(\.operation.id)
        try expect("A living process's operations are no orphans.", mine.contains(second.operation.id), is: false)
        try expect(
            "A living process's operations can't be adopted.",
            try await shared.adopt(second.operation.id),
            is: false
        )
    }

    func latestRunsAreOfEachType(_ runs: any LatestRuns) async throws {
        let types: [StaticString] = ["check_seldom", "check_often"]
        for (type, count) in zip(types, [2, 30]) {
            for number in 0..<count {
                var record = Sample.record("\(type)\(number)", type: type, at: Int64(number))
                record.estimateFeature = "host"
                record.writesToDataDirectory = true
                try await commit(Sample.ended(record, number == 1 ? .failed : .completed))
            }
        }
        let found = try await runs.latestRuns(ofEachType: 5)
        for (type, names) in zip(types, [["seldom0"], ["often29", "often28", "often27", "often26", "often25"]]) {
            let ofType = found.filter { $0.operation.type == OperationType(type) }
            try expect(
                "The latest runs of each type are its newest completed ones, however many another has.",
                ofType.map(\.operation.id),
                is: names.map { Sample.id("check_\($0)") }
            )
            try expect(
                "They have all that estimates begin with.",
                ofType.allSatisfy { $0.estimateFeature == "host" && $0.writesToDataDirectory },
                is: true
            )
        }
    }
}
