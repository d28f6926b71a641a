/// Columns of text for terminals.
enum TextTable {
    /// One line for each row, with two spaces between the columns.
    ///
    /// - Parameters:
    ///   - rows: all of one length, the head first.
    ///   - numbers: the columns that are aligned to the right.
    static func lines(_ rows: [[String]], numbers: Set<Int>) -> [String] {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return numbers.contains(column) ? padding + cell : column == row.count - 1 ? cell : cell + padding
            }.joined(separator: "  ")
        }
    }
}
