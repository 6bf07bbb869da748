/// Rows under titles. At a terminal the last column is cut to what is left of its width.
struct Table {
    let titles: [String]
    let rows: [[String]]

    /// - Parameters:
    ///   - cutsLast: whether the last column is cut; where it says what a person decides by, the terminal goes on in the next line.
    ///   - colour: the colour of a row's part that says how it is; `nil` for no row.
    func print(statusColumn: Int = 1, cutsLast: Bool = true, colour: ((Int) -> Colour)? = nil) {
        let widths = titles.indices.map { column in
            max(titles[column].columns, rows.map { $0[column].columns }.max() ?? 0)
        }
        let room = max(10, Console.width - widths.dropLast().reduce(0) { $0 + $1 + 2 })
        Console.line(Self.line(titles, widths))
        for (index, row) in rows.enumerated() {
            var fields = row
            if cutsLast, Console.isTerminal, let last = fields.indices.last {
                fields[last] = fields[last].truncated(to: room)
            }
            let painted = Console.usesColour ? colour?(index) : nil
            Console.line(Self.line(fields, widths, painted.map { (statusColumn, $0) }))
        }
    }

    private static func line(_ fields: [String], _ widths: [Int], _ painted: (column: Int, colour: Colour)? = nil)
        -> String
    {
        let last = fields.lastIndex { !$0.isEmpty } ?? 0
        let padded = fields[...last].enumerated().map { column, field in
            let field = column == last ? field : field.padded(to: widths[column])
            return column == painted?.column ? painted?.colour.paint(field) ?? field : field
        }
        return padded.joined(separator: "  ")
    }
}
