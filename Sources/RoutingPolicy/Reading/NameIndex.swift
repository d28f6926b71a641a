/// Names with the index of what they name, sorted for the search by pattern.
struct NameIndex {
    private let names: [(name: String, index: Int)]

    init(_ names: [(name: String, index: Int)]) {
        self.names = names.sorted { $0.name < $1.name }
    }

    /// The indices of all names that match. Only names that begin with the pattern's literal start are compared.
    func indices(matching glob: Glob) -> Set<Int> {
        var found: Set<Int> = []
        var position = names.partitioningIndex { $0.name >= glob.start }
        while position < names.count, names[position].name.hasPrefix(glob.start) {
            if glob.matches(names[position].name) { found.insert(names[position].index) }
            position += 1
        }
        return found
    }
}
