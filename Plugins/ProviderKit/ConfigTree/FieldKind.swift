/// An option that a `FieldReader` was asked for.
public struct KnownField: Sendable, Equatable {
    public var key: String
    /// What it takes; nil where only its node was asked for.
    public var kind: FieldKind?
    /// What it is for, in a line.
    public var text: String?
    /// What counts where it is absent.
    public var standard: String?
}

/// What an option takes, as the method that reads it knows. For references that can't drift from the reading.
public enum FieldKind: Sendable, Equatable {
    case text
    /// A list of texts; one text stands for a list of one.
    case texts
    case bool
    case word([String])
    case words([String])
    case integer(ClosedRange<Int>, unit: String? = nil)
    case number(ClosedRange<Double>)
    case money(ClosedRange<Double>)
    case duration(ClosedRange<Duration>)
    case size(ClosedRange<Int>)
    /// In words, where none of these says it.
    case other(String)
}

extension FieldKind: CustomStringConvertible {
    /// With unit and range: `time, 1ms to 24h`.
    public var description: String {
        switch self {
        case .text: "text"
        case .texts: "text or list"
        case .bool: "true or false"
        case .word(let words): words.joined(separator: " | ")
        case .words(let words): "list of \(words.joined(separator: ", "))"
        case .integer(let range, let unit): "\(unit ?? "whole number"), \(described(range))"
        case .number(let range): "number, \(described(range.lowerBound)) to \(described(range.upperBound))"
        case .money(let range): "US dollars, \(described(range.lowerBound)) to \(described(range.upperBound))"
        case .duration(let range): "time, \(described(range.lowerBound)) to \(described(range.upperBound))"
        case .size(let range): "size, \(described(range.lowerBound)) to \(described(range.upperBound))"
        case .other(let words): words
        }
    }
}
