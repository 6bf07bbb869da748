import OperationTracking
import Testing

@testable import OperationHistorySQLite

/// Pages come out of an index in order: SQLite is asked how it would read them.
@Suite struct PagePlanTests {
    let directory = TemporaryDirectory()

    static let queries: [(String, @Sendable (inout HistoryQuery) -> Void)] = [
        ("newest", { _ in }),
        ("text", { $0.text = "x" }),
        ("one type", { $0.types = [.download] }),
        ("two types", { $0.types = [.download, .install] }),
        ("one status", { $0.statuses = [.failed] }),
        ("several statuses", { $0.statuses = [.failed, .cancelled, .completed] }),
        (
            "types and statuses",
            {
                $0.types = [.download, .install]; $0.statuses = [.failed, .cancelled]
            }
        ),
        ("parent", { $0.parent = OperationID(rawValue: "op_parent") }),
        (
            "parent, type and status",
            {
                $0.parent = OperationID(rawValue: "op_parent"); $0.types = [.seed]; $0.statuses = [.failed]
            }
        ),
        (
            "more types than there are arms for",
            { $0.types = Set((0..<50).compactMap { OperationType(rawValue: "type_\($0)") }) }
        ),
    ]

    @Test(arguments: queries.indices) func noPageScansTheTableOrSorts(index: Int) async throws {
        let (name, change) = Self.queries[index]
        var query = HistoryQuery()
        change(&query)
        let plan = try await plan(of: PageStatement(query).sql)
        #expect(!plan.isEmpty)
        for step in plan {
            #expect(!step.contains("SCAN operations") && !step.contains("TEMP B-TREE"), "\(name): \(plan)")
        }
    }

    @Test func findingTheHolderOfAKeyAndTheOrphansTakesAnIndex() async throws {
        let holder = try await plan(
            of: "SELECT 1 FROM operations WHERE unique_key = ? AND status IN \(Schema.active) LIMIT 1"
        )
        #expect(holder.allSatisfy { $0.contains("USING INDEX operations_by_unique_key") }, "\(holder)")
        let owners = try await plan(
            of: "SELECT DISTINCT owner FROM operations WHERE status IN \(Schema.active) AND owner IS NOT NULL"
        )
        #expect(owners.first?.contains("USING INDEX operations_by_status") == true, "\(owners)")
    }

    @Test func oneOperationsAuditLogComesOutOfAnIndexInOrder() async throws {
        let plan = try await plan(
            of: "SELECT key FROM audit WHERE operation_id = ? AND key < ? ORDER BY key DESC LIMIT ?"
        )
        #expect(plan.count == 1 && plan.allSatisfy { $0.contains("INDEX audit_by_operation") }, "\(plan)")
    }

    private func plan(of sql: String) async throws -> [String] {
        let store = try await directory.open()
        let database = try Database(path: directory.database, createsFile: false)
        let plan = try Statement("EXPLAIN QUERY PLAN \(sql)", in: database).rows { row in
            for _ in 0..<3 { _ = row.nextInteger() }
            return row.nextText() ?? ""
        }
        await store.close()
        return plan
    }
}
