package import Codecs

/// What a request's body or a header gives for a routing override. Each property is nil if the value is not of that
/// type.
package enum OverrideValue {
    case flag(Bool)
    /// `integer` is nil for a number with a fraction.
    case number(Double, integer: Int?)
    case text(String)
    case list([String])
    /// The text of a header: its type is the one that is asked for.
    case header(String)
    case other

    /// - Parameter value: not null.
    package init(_ value: JSONValue, in body: RawSpan) {
        switch value.kind {
        case .true: self = .flag(true)
        case .false: self = .flag(false)
        case .number: self = JSON.double(value, in: body).map { .number($0, integer: JSON.integer(value, in: body)) } ?? .other
        case .string: self = .text(JSON.string(value.range, in: body))
        case .array: self = Self.texts(of: value, in: body).map { .list($0) } ?? .other
        case .object, .null: self = .other
        }
    }

    var flag: Bool? {
        switch self {
        case .flag(let flag): flag
        case .header(let text): Bool(text.lowercased())
        case .number, .text, .list, .other: nil
        }
    }

    var integer: Int? {
        switch self {
        case .number(_, let integer): integer
        case .header(let text) where text.utf8.allSatisfy(ASCII.isDigit): Int(text)
        case .flag, .text, .list, .header, .other: nil
        }
    }

    var number: Double? {
        switch self {
        case .number(let number, _): number
        case .header(let text) where text.utf8.allSatisfy { ASCII.isDigit($0) || $0 == ASCII.dot }: Double(text)
        case .flag, .text, .list, .header, .other: nil
        }
    }

    package var text: String? {
        switch self {
        case .text(let text), .header(let text): text
        case .flag, .number, .list, .other: nil
        }
    }

    /// A text alone is a list of one. A header is split at its commas.
    package var texts: [String]? {
        switch self {
        case .text(let text): [text]
        case .list(let texts): texts
        case .header(let text): text.split(separator: ",", omittingEmptySubsequences: false).map { String($0.trimmingBlanks()) }
        case .flag, .number, .other: nil
        }
    }

    /// Like `texts`, but any text alone is split at its commas. Entries are trimmed, and empty ones left out.
    package var listed: [String]? {
        guard case .text(let text) = self else { return texts.map(Self.trimmed) }
        // Almost every request names one model.
        let bytes = text.utf8.span
        for index in bytes.indices where bytes[index] == UInt8(ascii: ",") || bytes[index] <= UInt8(ascii: " ") { return entries }
        return text.isEmpty ? [] : [text]
    }

    /// The entries of `texts`, split at their commas, trimmed, without the empty ones.
    var entries: [String]? { texts.map { Self.trimmed($0.flatMap { $0.split(separator: ",") }) } }

    /// Whether the value is a text of nothing but blanks, as forms send it for a field that was left empty.
    package var isBlank: Bool {
        guard let text else { return false }
        // Almost every text begins with a letter.
        if let first = text.utf8.first, (0x21..<0x7F).contains(first) { return false }
        return text.allSatisfy(\.isWhitespace)
    }

    private static func trimmed(_ texts: [some StringProtocol]) -> [String] {
        texts.map { $0.trimmingWhitespace() }.filter { !$0.isEmpty }
    }

    /// At most the first 1,000: no override takes that many.
    private static func texts(of array: JSONValue, in body: RawSpan) -> [String]? {
        var cursor = JSONCursor(at: array.range.lowerBound)
        var texts: [String] = []
        do throws(JSONError) {
            try cursor.enterArray(body)
            while try cursor.nextElement(body), texts.count < 1000 {
                let value = try cursor.skipValue(body)
                guard value.kind == .string else { return nil }
                texts.append(JSON.string(value.range, in: body))
            }
        } catch {
            return nil
        }
        return texts
    }
}

extension StringProtocol {
    /// The text without blanks and line breaks at its ends.
    func trimmingWhitespace() -> String {
        let rest = drop(while: \.isWhitespace)
        return String(rest.prefix((rest.lastIndex { !$0.isWhitespace }.map { rest.distance(from: rest.startIndex, to: $0) + 1 }) ?? 0))
    }
}
