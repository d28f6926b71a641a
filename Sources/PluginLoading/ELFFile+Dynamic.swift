/// The tables that the dynamic linker follows without a check, so that a damaged file would crash the process before
/// any of its code runs. Source: elf(5); "How To Write Shared Libraries", section 1.5, for the GNU hash table.
///
/// They need not be right to pass, but zeros, or other bytes in the place of a page, don't.
extension ELFFile {
    var hasPlausibleDynamicTables: Bool {
        let fields = fields
        guard let table = DynamicTable(self, fields), let texts = range(of: table[.texts], table[.textsSize]),
            let symbols = range(of: table[.symbols], Symbol.size), !texts.isEmpty, fields.byte(texts.lowerBound) == 0,
            fields.byte(texts.upperBound - 1) == 0, let count = symbolCount(table, fields)
        else { return false }
        let names = (1..<max(count, 1)).allSatisfy { index in
            let start = symbols.lowerBound + index * Symbol.size
            guard let name = fields.word(start), let info = fields.byte(start + 4), Int(name) < texts.count else { return false }
            return fields.byte(texts.lowerBound + Int(name)) != 0 || info & 0xF == Symbol.section
        }
        return names && hasPlausibleRelocations(table, symbols: count, fields)
    }

    private enum Symbol {
        static let size = 24
        static let section: UInt8 = 3
    }

    /// The dynamic section: values by their tags.
    private struct DynamicTable {
        enum Tag: Int {
            case needed = 1, hash = 4, texts = 5, symbols = 6, relocations = 7, relocationsSize = 8, textsSize = 10
            case jumpsSize = 2
            case jumps = 23
            case gnuHash = 0x6FFF_FEF5
        }

        private var values: [Int: Int] = [:]

        /// nil if the file has none, or if it has no end.
        init?(_ file: ELFFile, _ fields: Fields) {
            guard let range = file.segments.first(where: { $0.type == Segment.dynamic })?.range else { return nil }
            var start = range.lowerBound
            while start + 16 <= range.upperBound, let tag = fields.long(start) {
                if tag == 0 { return }
                values[tag] = fields.long(start + 8)
                start += 16
            }
            return nil
        }

        subscript(_ tag: Tag) -> Int? { values[tag.rawValue] }
    }

    /// Where memory at this address comes from in the file; nil if not all of it does.
    private func range(of address: Int?, _ size: Int?) -> Range<Int>? {
        guard let address, let size else { return nil }
        for segment in segments where segment.type == Segment.load && address >= segment.address {
            let offset = address - segment.address
            guard offset <= segment.range.count, size <= segment.range.count - offset else { continue }
            let start = segment.range.lowerBound + offset
            return start..<start + size
        }
        return nil
    }

    /// The number of dynamic symbols, which the hash tables alone tell; nil if they are no such tables.
    private func symbolCount(_ table: DynamicTable, _ fields: Fields) -> Int? {
        if let head = range(of: table[.hash], 8) { return fields.word(head.lowerBound + 4).map(Int.init) }
        guard let head = range(of: table[.gnuHash], 16)?.lowerBound, let buckets = fields.word(head), let first = fields.word(head + 4),
            let blooms = fields.word(head + 8), buckets > 0, blooms > 0, blooms & (blooms - 1) == 0
        else { return nil }
        let start = head + 16 + Int(blooms) * 8
        var last = 0
        for bucket in 0..<Int(buckets) {
            guard let symbol = fields.word(start + bucket * 4), symbol == 0 || symbol >= first else { return nil }
            last = max(last, Int(symbol))
        }
        guard last > 0 else { return Int(first) }
        let chains = start + Int(buckets) * 4 - Int(first) * 4
        while let hash = fields.word(chains + last * 4) {
            last += 1
            if hash & 1 == 1 { return last }
        }
        return nil
    }

    /// Whether each relocation changes memory of the library, and names a symbol that it has.
    private func hasPlausibleRelocations(_ table: DynamicTable, symbols: Int, _ fields: Fields) -> Bool {
        let entry = 24
        for (start, size) in [(table[.relocations], table[.relocationsSize]), (table[.jumps], table[.jumpsSize])] where start != nil {
            guard let range = range(of: start, size), range.count % entry == 0 else { return false }
            for place in stride(from: range.lowerBound, to: range.upperBound, by: entry) {
                guard let type = fields.word(place + 8), let symbol = fields.word(place + 12) else { return false }
                if type == 0 { continue }  // nothing, which some linkers leave
                guard Int(symbol) < symbols, let target = fields.long(place), isLoaded(target) else { return false }
            }
        }
        return true
    }

    private func isLoaded(_ address: Int) -> Bool {
        segments.contains { $0.type == Segment.load && address >= $0.address && address - $0.address <= $0.memory - 8 }
    }
}
