/// An option that a ``FieldReader`` knows because it was read, declared or described.
public struct KnownField: Sendable, Equatable {
    /// The key of the option.
    public var key: String
    /// The values that it takes; nil if only its node was read.
    public var kind: FieldKind?
    /// What it is for, in one line; nil if it was not described.
    public var text: String?
    /// The value that applies if the option is absent, as the file would write it; nil if there is none or
    /// if it was not described.
    public var defaultText: String?
}

/// The values that an option takes. The method that reads the option provides the kind, so that a reference made of
/// kinds can't differ from what is read.
public enum FieldKind: Sendable, Equatable {
    /// A text.
    case text
    /// A list of texts. A single text counts as a list of one.
    case texts
    /// `true` or `false`.
    case bool
    /// One of the given words.
    case word([String])
    /// A list of the given words.
    case words([String])
    /// A whole number. The unit is what it counts, such as `milliseconds`; nil if it has none.
    case integer(ClosedRange<Int>, unit: String? = nil)
    /// A number, with or without a fraction. The unit is what it counts, such as `seconds`; nil if it has none.
    case number(ClosedRange<Double>, unit: String? = nil)
    /// An amount in US dollars.
    case money(ClosedRange<Double>)
    /// A time with its unit.
    case duration(ClosedRange<Duration>)
    /// A number of bytes with its unit.
    case size(ClosedRange<Int>)
    /// An http or https address without a user and a query, so that it may be shown.
    case address
    /// Anything else, described in words.
    case other(String)
}

extension FieldKind {
    /// Whether an option of this kind may be a list.
    var takesList: Bool {
        switch self {
        case .texts, .words: true
        case .other(let words): words.contains("list")
        case .text, .bool, .word, .integer, .number, .money, .duration, .size, .address: false
        }
    }
}

extension FieldKind: CustomStringConvertible {
    /// The kind in words, with unit and range: `time, 1ms to 24h`.
    public var description: String {
        switch self {
        case .text: "text"
        case .texts: "text or list"
        case .bool: "true or false"
        case .word(let words): words.joined(separator: " | ")
        case .words(let words): "list of \(words.joined(separator: ", "))"
        case .integer(let range, let unit): "\(unit ?? "whole number"), \(limits(range))"
        case .number(let range, let unit): "\(unit ?? "number"), \(range.lowerBound.asWritten) to \(range.upperBound.asWritten)"
        case .money(let range): "US dollars, \(range.lowerBound.asWritten) to \(range.upperBound.asWritten)"
        case .duration(let range): "time, \(range.lowerBound.asWritten) to \(range.upperBound.asWritten)"
        case .size(let range): "size, \(sizeAsWritten(range.lowerBound)) to \(sizeAsWritten(range.upperBound))"
        case .address: "http or https address"
        case .other(let words): words
        }
    }

    private func limits(_ range: ClosedRange<Int>) -> String {
        range.upperBound >= unlimitedCount ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
    }
}
