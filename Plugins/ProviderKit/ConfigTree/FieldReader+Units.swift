import Codecs

extension FieldReader {
    /// Reads a time: a whole number with one of the units `ms`, `s`, `m` and `h`. nil if it is absent or invalid.
    public mutating func duration(
        _ key: String, in range: ClosedRange<Duration> = .milliseconds(1)...(.seconds(24 * 3600)), required: Bool = false
    ) -> Duration? {
        declare(key, as: .duration(range))
        guard let (scalar, node) = scalar(key, required: required, expecting: "a time such as '5s'") else { return nil }
        guard !scalar.isUnresolved else { return range.lowerBound }
        let time = Quantity(name: "a time", units: timeUnits, likelyUnits: ("s", "ms"), example: "250ms, 5s, 3m or 1h")
        guard let count = count(scalar, node, key, time) else { return nil }
        let value = Duration.milliseconds(count)
        guard range.contains(value) else {
            let limits = "from \(range.lowerBound.asWritten) to \(range.upperBound.asWritten)"
            report(at: node, "'\(key)' takes a time \(limits), not \(node.displayText)")
            return nil
        }
        return value
    }

    /// Reads a number of bytes: a whole number with one of the units `B`, `KiB`, `MiB` and `GiB`. `KB` and `MB` are
    /// refused because they are ambiguous. nil if it is absent or invalid.
    public mutating func size(_ key: String, in range: ClosedRange<Int> = 1...(1 << 40), required: Bool = false) -> Int? {
        declare(key, as: .size(range))
        guard let (scalar, node) = scalar(key, required: required, expecting: "a size such as '64KiB'") else { return nil }
        guard !scalar.isUnresolved else { return range.lowerBound }
        let size = Quantity(name: "a size", units: sizeUnits, likelyUnits: ("KiB", "MiB"), example: "64KiB, 32MiB or 1GiB")
        guard let count = count(scalar, node, key, size) else { return nil }
        guard let value = Int(exactly: count), range.contains(value) else {
            let limits = "from \(sizeAsWritten(range.lowerBound)) to \(sizeAsWritten(range.upperBound))"
            report(at: node, "'\(key)' takes a size \(limits), not \(node.displayText)")
            return nil
        }
        return value
    }

    /// The number in the smallest unit. A number that is too large becomes the largest possible one.
    private mutating func count(_ scalar: ConfigScalar, _ node: ConfigNode, _ key: String, _ quantity: Quantity) -> Int64? {
        let text = scalar.text
        let digits = text.prefix { $0.isASCIIDigit }
        let unit = String(text.dropFirst(digits.count))
        if let factor = quantity.units.first(where: { $0.name == unit })?.factor, !digits.isEmpty {
            let (product, overflow) = (Int64(digits) ?? .max).multipliedReportingOverflow(by: factor)
            return overflow ? .max : product
        }
        let message = "'\(key)' takes \(quantity.name) with its unit, not \(node.displayText)"
        let hint = "write a whole number and a unit, such as \(quantity.example)"
        if text.hasPrefix("-") {
            report(at: node, "'\(key)' takes \(quantity.name), which is never negative, not \(node.displayText)", hint: hint)
        } else if unit.isEmpty, !digits.isEmpty {
            report(at: node, message, hint: "write '\(digits)\(quantity.likelyUnits.0)' or '\(digits)\(quantity.likelyUnits.1)'")
        } else if !digits.isEmpty, let near = quantity.unit(near: unit) {
            report(at: node, message, hint: "write '\(digits)\(near)'")
        } else {
            report(at: node, message, hint: hint)
        }
        return nil
    }
}

/// A kind of number that has a unit.
private struct Quantity {
    var name: String
    var units: [(name: String, factor: Int64)]
    /// The two units that the author of a number without a unit most likely has in mind.
    var likelyUnits: (String, String)
    var example: String

    /// The unit of which a text is another spelling, such as `MB`, `mb`, ` s`, `sec` or `min`; nil if it is none.
    func unit(near unit: String) -> String? {
        let word = unit.lowercased().filter { $0.isLetter }
        let spellings = [
            "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "min": "m", "mins": "m", "minute": "m", "minutes": "m",
            "m": "m",
            "h": "h", "hr": "h", "hour": "h", "hours": "h", "ms": "ms", "msec": "ms", "millis": "ms",
            "b": "B", "bytes": "B", "k": "KiB", "kb": "KiB", "kib": "KiB", "mb": "MiB", "mib": "MiB", "g": "GiB", "gb": "GiB", "gib": "GiB",
        ]
        guard unit.allSatisfy({ $0.isLetter || $0 == " " }), let name = spellings[word] else { return nil }
        if name == "m", !units.contains(where: { $0.name == "m" }) { return "MiB" }
        return units.contains { $0.name == name } ? name : nil
    }
}
