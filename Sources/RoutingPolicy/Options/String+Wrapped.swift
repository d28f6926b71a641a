extension String {
    /// The text behind the beginning of its first line, in lines of at most `width` columns as far as its words allow
    /// it.
    ///
    /// - Parameter indent: the number of blanks before each further line.
    package func wrapped(after start: String = "", indent: Int, width: Int) -> String {
        var lines = [start]
        var isFirst = true
        for word in split(separator: " ") {
            let last = lines.count - 1
            if !isFirst, lines[last].count + 1 + word.count > width {
                lines.append(String(repeating: " ", count: indent) + word)
            } else {
                lines[last] += (isFirst ? "" : " ") + word
            }
            isFirst = false
        }
        return lines.joined(separator: "\n")
    }
}
