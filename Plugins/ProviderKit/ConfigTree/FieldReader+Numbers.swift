extension FieldReader {
    /// A whole number in decimal digits.
    public mutating func int(_ key: String, in range: ClosedRange<Int>, required: Bool = false) -> Int? {
        guard let (scalar, node) = scalar(key, required: required, expecting: "a whole number") else { return nil }
        guard !scalar.isUnresolved else { return range.lowerBound }
        guard isNumber(scalar, node, key, "a whole number") else { return nil }
        let digits = scalar.text.utf8.drop { $0 == UInt8(ascii: "-") }
        guard digits.allSatisfy(isDigit), !digits.isEmpty, digits.count >= scalar.text.utf8.count - 1 else {
            report(at: node, "'\(key)' takes a whole number, not \(node.shown)", hint: "write its digits alone, without a unit")
            return nil
        }
        guard let value = Int(scalar.text), range.contains(value) else {
            report(at: node, "'\(key)' takes a whole number \(limits(range)), not \(node.shown)")
            return nil
        }
        return value
    }

    /// From 0 to 1.
    public mutating func ratio(_ key: String, required: Bool = false) -> Double? {
        decimal(key, required: required, what: "a ratio from 0 to 1", upTo: 1)
    }

    /// US dollars, not negative, at most a million.
    public mutating func money(_ key: String, required: Bool = false) -> Double? {
        decimal(key, required: required, what: "US dollars as a number", upTo: 1_000_000)
    }

    private mutating func decimal(_ key: String, required: Bool, what: String, upTo limit: Double) -> Double? {
        guard let (scalar, node) = scalar(key, required: required, expecting: what) else { return nil }
        guard !scalar.isUnresolved else { return 0 }
        guard isNumber(scalar, node, key, what) else { return nil }
        let isDecimal = scalar.text.utf8.allSatisfy { isDigit($0) || "+-.eE".utf8.contains($0) }
        guard isDecimal, let value = Double(scalar.text), value.isFinite else {
            report(at: node, "'\(key)' takes \(what), not \(node.shown)")
            return nil
        }
        guard value >= 0, value <= limit else {
            report(at: node, "'\(key)' takes \(what), from 0 to \(Int(limit)), not \(node.shown)")
            return nil
        }
        return value
    }

    private mutating func isNumber(_ scalar: ConfigScalar, _ node: ConfigNode, _ key: String, _ what: String) -> Bool {
        guard !isUnquoted(scalar) else { return true }
        report(at: node, "'\(key)' takes \(what), but \(node.shown) is text in quotes", hint: "write it without the quotes")
        return false
    }
}

func isDigit(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
}

private func limits(_ range: ClosedRange<Int>) -> String {
    range.upperBound == .max ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
}
