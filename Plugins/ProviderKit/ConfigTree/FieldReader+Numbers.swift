import Codecs

extension FieldReader {
    /// Reads a whole number in decimal digits; nil if it is absent or invalid.
    ///
    /// - Parameters:
    ///   - key: the key to read.
    ///   - range: the allowed numbers. An upper bound of a billion or more means that there is no limit worth
    ///     reporting.
    ///   - unit: what the number counts, such as `milliseconds`, if authors may expect to write a unit; nil if not.
    ///   - required: whether an absent key is an error.
    public mutating func int(_ key: String, in range: ClosedRange<Int>, unit: String? = nil, required: Bool = false) -> Int? {
        declare(key, as: .integer(range, unit: unit))
        var expected: String { unit.map { "a whole number of \($0)" } ?? "a whole number" }
        guard let (scalar, node) = scalar(key, required: required, expecting: expected) else { return nil }
        guard !scalar.isUnresolved else { return range.lowerBound }
        guard checkUnquoted(scalar, node, key, expected) else { return nil }
        let digits = scalar.text.utf8.drop { $0 == UInt8(ascii: "-") }
        guard digits.allSatisfy(ASCII.isDigit), !digits.isEmpty, digits.count >= scalar.text.utf8.count - 1 else {
            report(
                at: node, "'\(key)' takes \(expected), not \(node.displayText)",
                hint: wholeNumber(scalar.source, unit).map { "write \($0)" } ?? "write only the digits, without a unit")
            return nil
        }
        guard let value = Int(scalar.text), range.contains(value) else {
            let isTooSmall = scalar.text.utf8.first == UInt8(ascii: "-") || Int(scalar.text).map { $0 < range.lowerBound } ?? false
            report(at: node, "'\(key)' takes \(expected) \(limits(range, isTooSmall: isTooSmall)), not \(node.displayText)")
            return nil
        }
        return value
    }

    /// Reads a number in decimal digits, with or without a fraction; nil if it is absent or invalid.
    ///
    /// - Parameters:
    ///   - key: the key to read.
    ///   - range: the allowed numbers.
    ///   - unit: what the number counts, such as `seconds`, if authors may expect to write a unit; nil if not.
    ///   - required: whether an absent key is an error.
    public mutating func number(_ key: String, in range: ClosedRange<Double>, unit: String? = nil, required: Bool = false) -> Double? {
        declare(key, as: .number(range, unit: unit))
        return decimal(key, required: required, kind: unit.map { "a number of \($0)" } ?? "a number", in: range, unit: unit)
    }

    /// Reads a number from 0 to 1; nil if it is absent or invalid.
    public mutating func ratio(_ key: String, required: Bool = false) -> Double? {
        declare(key, as: .number(0...1))
        return decimal(key, required: required, kind: "a ratio", in: 0...1)
    }

    /// Reads an amount in US dollars, from 0 to a million; nil if it is absent or invalid.
    public mutating func money(_ key: String, required: Bool = false) -> Double? {
        declare(key, as: .money(0...1_000_000))
        return decimal(key, required: required, kind: "US dollars as a number", in: 0...1_000_000)
    }

    private mutating func decimal(
        _ key: String, required: Bool, kind: String, in range: ClosedRange<Double>, unit: String? = nil
    ) -> Double? {
        var expected: String { "\(kind) from \(range.lowerBound.asWritten) to \(range.upperBound.asWritten)" }
        guard let (scalar, node) = scalar(key, required: required, expecting: expected) else { return nil }
        guard !scalar.isUnresolved else { return range.lowerBound }
        guard amount(in: scalar.source) != nil || checkUnquoted(scalar, node, key, expected) else { return nil }
        let isDecimal = scalar.text.utf8.allSatisfy { ASCII.isDigit($0) || "+-.eE".utf8.contains($0) }
        guard isDecimal, let value = Double(scalar.text), range.contains(value) else {
            report(
                at: node, "'\(key)' takes \(expected), not \(node.displayText)",
                hint: (ratio(ofPercentage: scalar.source, in: range) ?? amount(in: scalar.source)).map { "write \($0.asWritten)" }
                    ?? unit.flatMap { wholeNumber(scalar.source, $0) }.map { "write \($0)" })
            return nil
        }
        return value
    }

    /// The ratio that a percentage such as `20%` means; nil if the text is not one, or the option takes no ratio.
    private func ratio(ofPercentage text: String, in range: ClosedRange<Double>) -> Double? {
        guard range == 0...1, text.hasSuffix("%"), let percent = Double(text.dropLast()), 0...100 ~= percent else { return nil }
        return percent / 100
    }

    /// False, with an issue, if a number is in quotes and therefore is text.
    private mutating func checkUnquoted(
        _ scalar: ConfigScalar, _ node: ConfigNode, _ key: String, _ expected: @autoclosure () -> String
    ) -> Bool {
        guard !isUnquoted(scalar) else { return true }
        report(
            at: node, "'\(key)' takes \(expected()), but \(node.displayText) is text in quotes", hint: "write it without the quotes")
        return false
    }
}

/// The number of an amount in dollars, alone or per million tokens: `$1`, `$0.15/M`, `2 USD`. nil for any other text.
private func amount(in text: String) -> Double? {
    let units = ["", "/m", "/1m", "/mtok", "/million", "/1m tokens", "usd", "$", "usd/m"]
    let digits = text.drop { $0 == "$" || $0 == " " }.prefix { $0.isASCIIDigit || $0 == "." }
    let rest = text[digits.endIndex...].trimmingBlanks().lowercased()
    guard digits.count < text.count, units.contains(rest) else { return nil }
    return Double(digits)
}

/// An upper bound of a count from which on messages don't mention it.
let unlimitedCount = 1_000_000_000

/// The allowed numbers in words. If the refused value is too small, an upper bound that nobody reaches is left out.
private func limits(_ range: ClosedRange<Int>, isTooSmall: Bool) -> String {
    isTooSmall && range.upperBound >= unlimitedCount
        ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
}

/// The number that a text with a unit or a `k` means: `100k` is 100000, and `2s` is 2000 if the option counts
/// milliseconds. nil for any other text.
private func wholeNumber(_ text: String, _ unit: String?) -> Int? {
    let digits = text.prefix { $0.isASCIIDigit }
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
