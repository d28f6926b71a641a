extension Duration {
    /// The duration as a policy file writes it: in the largest unit that leaves a whole number, such as `250ms`, `90s`,
    /// `10m` or `1h`. Fractions of a millisecond are dropped.
    public var asWritten: String {
        let milliseconds = Int64((self / .milliseconds(1)).rounded(.down))
        if milliseconds % 1000 != 0 { return "\(milliseconds)ms" }
        if milliseconds == 0 || milliseconds % 60_000 != 0 { return "\(milliseconds / 1000)s" }
        return milliseconds % 3_600_000 == 0 ? "\(milliseconds / 3_600_000)h" : "\(milliseconds / 60_000)m"
    }
}

extension Double {
    /// The number as a policy file writes it: a whole number without a fraction, such as `5`, any other as `0.25`.
    public var asWritten: String {
        Int(exactly: self).map { "\($0)" } ?? "\(self)"
    }
}

/// A number of bytes as a policy file writes it: in the largest unit that leaves a whole number, such as `512B`,
/// `64KiB`, `32MiB` or `1GiB`.
public func sizeAsWritten(_ bytes: Int) -> String {
    let unit = sizeUnits.last { bytes % Int($0.factor) == 0 && bytes >= Int($0.factor) } ?? ("B", 1)
    return "\(bytes / Int(unit.factor))\(unit.name)"
}

/// The units of a time in a policy file, in milliseconds.
let timeUnits: [(name: String, factor: Int64)] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)]
/// The units of a size in a policy file, in bytes.
let sizeUnits: [(name: String, factor: Int64)] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]
