import Foundation
import Testing

@testable import OperationHistorySQLite

@Suite struct StatementTests {
    @Test func aValueIsGoneInTheNextRunThatHasNone() throws {
        let database = try Database(path: ":memory:", createsFile: true)
        try database.execute("CREATE TABLE rows (number, fraction, text, bytes)")
        let insert = try Statement("INSERT INTO rows VALUES (?, ?, ?, ?)", in: database)
        let inserted: [(Int64?, Double?, String?, [UInt8]?)] = [
            (nil, nil, nil, nil), (1, 2.5, "three", [4]), (nil, 3.5, nil, [5]), (nil, nil, nil, nil),
            (6, nil, "seven", []),
        ]
        for row in inserted {
            try insert.add(row.0)
            try insert.add(row.1)
            try insert.add(row.2)
            try insert.add(row.3, asText: false)
            try insert.run()
        }
        let found = try Statement("SELECT * FROM rows ORDER BY rowid", in: database)
            .rows { ($0.nextInteger(), $0.nextDouble(), $0.nextText(), $0.nextBytes()) }
        #expect(found.count == inserted.count)
        for (found, inserted) in zip(found, inserted) { #expect(found == inserted) }
    }

    @Test func thereMayBeMoreThan64Parameters() throws {
        let database = try Database(path: ":memory:", createsFile: true)
        let marks = Array(repeating: "?", count: 70).joined(separator: ", ")
        let select = try Statement("SELECT \(marks)", in: database)
        for offset in 0..<3 {
            let values = (0..<70).map { ($0 + offset).isMultiple(of: 3) ? Int64($0) : nil }
            for value in values { try select.add(value) }
            #expect(try select.rows { row in values.map { _ in row.nextInteger() } } == [values])
        }
    }
}
