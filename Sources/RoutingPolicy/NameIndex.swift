/// Names of things, sorted, for patterns.
struct NameIndex {
    private let names: [(name: String, thing: Int)]

    init(_ names: [(name: String, thing: Int)]) {
        self.names = names.sorted { $0.name < $1.name }
    }

    /// Only the names that begin as the pattern does are looked at.
    func things(matching glob: Glob) -> Set<Int> {
        var found: Set<Int> = []
        var place = names.partitioningIndex { $0.name >= glob.start }
        while place < names.count, names[place].name.hasPrefix(glob.start) {
            if glob.matches(names[place].name) { found.insert(names[place].thing) }
            place += 1
        }
        return found
    }
}
