extension FieldReader {
    /// A whole number in decimal digits. `unit` is what it counts where that must be said, because elsewhere it would be written: `milliseconds`.
    public mutating func int(_ key: String, in range: ClosedRange<Int>, unit: String? = nil, required: Bool = false) -> Int? {
        declare(key, as: .integer(range, unit: unit))
        var what: String { unit.map { "a whole number of \($0)" } ?? "a whole number" }
        guard let (scalar, node) = scalar(key, required: required, expecting: what) else { return nil }
        guard !scalar.isUnresolved else { return range.lowerBound }
        guard isNumber(scalar, node, key, what) else { return nil }
        let digits = scalar.text.utf8.drop { $0 == UInt8(ascii: "-") }
        guard digits.allSatisfy(isDigit), !digits.isEmpty, digits.count >= scalar.text.utf8.count - 1 else {
            report(
                at: node, "'\(key)' takes \(what), not \(node.shown)",
                hint: wholeNumber(scalar.source, unit).map { "write \($0)" } ?? "write its digits alone, without a unit")
            return nil
        }
        guard let value = Int(scalar.text), range.contains(value) else {
            let isNegative = scalar.text.utf8.first == UInt8(ascii: "-") || Int(scalar.text).map { $0 < range.lowerBound } ?? false
            report(at: node, "'\(key)' takes \(what) \(limits(range, isBelow: isNegative)), not \(node.shown)")
            return nil
        }
        return value
    }

    /// A number in decimal digits, with a fraction or without.
    public mutating func number(_ key: String, in range: ClosedRange<Double>, required: Bool = false) -> Double? {
        declare(key, as: .number(range))
        return decimal(key, required: required, what: "a number", in: range)
    }

    /// From 0 to 1.
    public mutating func ratio(_ key: String, required: Bool = false) -> Double? {
        declare(key, as: .number(0...1))
        return decimal(key, required: required, what: "a ratio", in: 0...1)
    }

    /// US dollars, not negative, at most a million.
    public mutating func money(_ key: String, required: Bool = false) -> Double? {
        declare(key, as: .money(0...1_000_000))
        return decimal(key, required: required, what: "US dollars as a number", in: 0...1_000_000)
    }

    private mutating func decimal(_ key: String, required: Bool, what kind: String, in range: ClosedRange<Double>) -> Double? {
        var what: String { "\(kind) from \(described(range.lowerBound)) to \(described(range.upperBound))" }
        guard let (scalar, node) = scalar(key, required: required, expecting: what) else { return nil }
        guard !scalar.isUnresolved else { return range.lowerBound }
        guard isNumber(scalar, node, key, what) else { return nil }
        let isDecimal = scalar.text.utf8.allSatisfy { isDigit($0) || "+-.eE".utf8.contains($0) }
        guard isDecimal, let value = Double(scalar.text), range.contains(value) else {
            report(
                at: node, "'\(key)' takes \(what), not \(node.shown)",
                hint: share(scalar.source, in: range).map { "write \(described($0))" })
            return nil
        }
        return value
    }

    /// What `20%` means where a ratio is asked for.
    private func share(_ text: String, in range: ClosedRange<Double>) -> Double? {
        guard range == 0...1, text.hasSuffix("%"), let percent = Double(text.dropLast()), 0...100 ~= percent else { return nil }
        return percent / 100
    }

    private mutating func isNumber(_ scalar: ConfigScalar, _ node: ConfigNode, _ key: String, _ what: @autoclosure () -> String) -> Bool {
        guard !isUnquoted(scalar) else { return true }
        report(at: node, "'\(key)' takes \(what()), but \(node.shown) is text in quotes", hint: "write it without the quotes")
        return false
    }
}

func isDigit(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
}

/// Above it no bound of a count says anything.
private let manyCount = 1_000_000_000

/// - Parameter isBelow: whether the value that is refused is too small: then a bound that nobody reaches isn't said.
private func limits(_ range: ClosedRange<Int>, isBelow: Bool) -> String {
    isBelow && range.upperBound >= manyCount ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
}

func described(_ range: ClosedRange<Int>) -> String {
    range.upperBound >= manyCount ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
}

/// The digits that a number with a unit or a `k` stands for: `100k`, and `2s` where milliseconds are asked for.
private func wholeNumber(_ text: String, _ unit: String?) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let suffix = text.dropFirst(digits.count).lowercased()
    let factors =
        switch unit {
        case "milliseconds": ["ms": 1, "s": 1000]
        case "seconds": ["s": 1, "m": 60]
        default: ["k": 1000]
        }
    guard let count = Int(digits), let factor = factors[suffix] else { return nil }
    let (product, overflow) = count.multipliedReportingOverflow(by: factor)
    return overflow ? nil : product
}

func described(_ number: Double) -> String {
    Int(exactly: number).map { "\($0)" } ?? "\(number)"
}
