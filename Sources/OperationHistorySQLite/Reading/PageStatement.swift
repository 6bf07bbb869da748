import OperationTracking

/// The SQL of a page, made so that rows come out of an index in the right order, and reading stops when the page is full.
///
/// An index gives rows newest first for *one* value of its columns. So for several types or statuses the statement has one
/// arm for each combination, and SQLite merges the arms as it goes (`UNION ALL … ORDER BY` over sorted arms): nothing is
/// sorted, and nothing is read that doesn't belong to the page. Only the text filter looks at rows that it then leaves out.
struct PageStatement {
    let sql: String
    /// The texts that are bound from parameter 4 on.
    private let texts: [String]

    /// More arms than this cost more than walking the newest rows.
    private static let maximumArms = 60

    init(_ query: HistoryQuery) {
        var texts: [String] = []
        func mark(_ text: String) -> String {
            texts.append(text)
            return "?\(texts.count + 3)"
        }
        let types = query.types.sorted().map { mark($0.rawValue) }
        let statuses = (query.statuses.isEmpty ? Set(OperationStatus.allCases) : query.statuses).map(Self.quoted)
            .sorted()
        let anyType = types.isEmpty ? nil : "operation_type IN (\(types.joined(separator: ", ")))"
        let anyStatus = query.statuses.isEmpty ? nil : "status IN (\(statuses.joined(separator: ", ")))"
        let text = query.text.map { #"description LIKE \#(mark(Self.pattern($0))) ESCAPE '\'"# }

        func arm(_ index: String, _ conditions: String?...) -> String {
            let all = (conditions + [text]).compactMap(\.self) + ["key >= ?1", "key < ?2"]
            return "SELECT \(OperationColumns.list) FROM operations \(index) WHERE \(all.joined(separator: " AND "))"
        }
        let arms: [String]
        if let parent = query.parent {
            arms = [arm("INDEXED BY operations_by_parent", "parent_id = \(mark(parent.rawValue))", anyType, anyStatus)]
        } else if types.count * statuses.count > Self.maximumArms || (types.isEmpty && query.statuses.isEmpty) {
            arms = [arm("NOT INDEXED", anyType, anyStatus)]
        } else if types.isEmpty {
            arms = statuses.map { arm("INDEXED BY operations_by_status", "status = \($0)") }
        } else {
            arms = types.flatMap { type in
                statuses.map {
                    arm("INDEXED BY operations_by_type_and_status", "operation_type = \(type)", "status = \($0)")
                }
            }
        }
        sql = arms.joined(separator: " UNION ALL ") + " ORDER BY key DESC LIMIT ?3"
        self.texts = texts
    }

    func bind(to statement: Statement, from lowest: HistoryKey, below end: HistoryKey, limit: Int) throws(SQLiteFailure)
    {
        try statement.add(lowest.rawValue)
        try statement.add(end.rawValue)
        try statement.add(Int64(limit))
        for text in texts { try statement.add(text) }
    }

    /// Statuses are words of ours, so they may stand in the statement itself.
    private static func quoted(_ status: OperationStatus) -> String { "'\(status.rawValue)'" }

    /// The `LIKE` pattern of any text that contains `text`, in which `%` and `_` stand for themselves.
    private static func pattern(_ text: String) -> String {
        var pattern = "%"
        for character in text.unicodeScalars {
            if character == "%" || character == "_" || character == "\\" { pattern.unicodeScalars.append("\\") }
            pattern.unicodeScalars.append(character)
        }
        return pattern + "%"
    }
}
