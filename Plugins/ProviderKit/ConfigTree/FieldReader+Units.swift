extension FieldReader {
    /// A whole number with one of the units `ms`, `s`, `m`, `h`.
    public mutating func duration(
        _ key: String, in range: ClosedRange<Duration> = .milliseconds(1)...(.seconds(24 * 3600)), required: Bool = false
    ) -> Duration? {
        declare(key, as: .duration(range))
        guard let (scalar, node) = scalar(key, required: required, expecting: "a time such as '5s'") else { return nil }
        guard !scalar.isUnresolved else { return range.lowerBound }
        let kind = Quantity(what: "a time", units: durations, readings: ("s", "ms"), example: "250ms, 5s, 3m or 1h")
        guard let count = count(scalar, node, key, kind) else { return nil }
        let value = Duration.milliseconds(count)
        guard range.contains(value) else {
            let limits = "from \(described(range.lowerBound)) to \(described(range.upperBound))"
            report(at: node, "'\(key)' takes a time \(limits), not \(node.shown)")
            return nil
        }
        return value
    }

    /// Bytes: a whole number with one of the units `B`, `KiB`, `MiB`, `GiB`. `KB` and `MB` are refused, for they mean two things.
    public mutating func size(_ key: String, in range: ClosedRange<Int> = 1...(1 << 40), required: Bool = false) -> Int? {
        declare(key, as: .size(range))
        guard let (scalar, node) = scalar(key, required: required, expecting: "a size such as '64KiB'") else { return nil }
        guard !scalar.isUnresolved else { return range.lowerBound }
        let kind = Quantity(what: "a size", units: sizes, readings: ("KiB", "MiB"), example: "64KiB, 32MiB or 1GiB")
        guard let count = count(scalar, node, key, kind) else { return nil }
        guard let value = Int(exactly: count), range.contains(value) else {
            let limits = "from \(described(range.lowerBound)) to \(described(range.upperBound))"
            report(at: node, "'\(key)' takes a size \(limits), not \(node.shown)")
            return nil
        }
        return value
    }

    /// In the smallest unit; saturates.
    private mutating func count(_ scalar: ConfigScalar, _ node: ConfigNode, _ key: String, _ kind: Quantity) -> Int64? {
        let text = scalar.text
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = String(text.dropFirst(digits.count))
        if let factor = kind.units.first(where: { $0.name == unit })?.factor, !digits.isEmpty {
            let (product, overflow) = (Int64(digits) ?? .max).multipliedReportingOverflow(by: factor)
            return overflow ? .max : product
        }
        let message = "'\(key)' takes \(kind.what) with its unit, not \(node.shown)"
        if text.hasPrefix("-") {
            report(at: node, "'\(key)' takes \(kind.what), which is never negative, not \(node.shown)", hint: "such as \(kind.example)")
        } else if unit.isEmpty, !digits.isEmpty {
            report(at: node, message, hint: "write '\(digits)\(kind.readings.0)' or '\(digits)\(kind.readings.1)'")
        } else if !digits.isEmpty, let near = kind.unit(near: unit) {
            report(at: node, message, hint: "write '\(digits)\(near)'")
        } else {
            report(at: node, message, hint: "a whole number and a unit, such as \(kind.example)")
        }
        return nil
    }
}

private struct Quantity {
    var what: String
    var units: [(name: String, factor: Int64)]
    /// The two units that a bare number may have meant.
    var readings: (String, String)
    var example: String

    /// Of a unit that is only spelled otherwise: `MB`, `mb`, ` s`, `sec`, `min`.
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

private let durations: [(name: String, factor: Int64)] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)]
private let sizes: [(name: String, factor: Int64)] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]

func described(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    if attoseconds != 0 { return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms" }
    if seconds != 0, seconds % 3600 == 0 { return "\(seconds / 3600)h" }
    if seconds != 0, seconds % 60 == 0 { return "\(seconds / 60)m" }
    return "\(seconds)s"
}

func described(_ bytes: Int) -> String {
    let unit = sizes.last { bytes % Int($0.factor) == 0 && bytes >= Int($0.factor) } ?? ("B", 1)
    return "\(bytes / Int(unit.factor))\(unit.name)"
}
