import Codecs
import ProviderKit

/// What a body or a head gives for one of the router's own fields. Each property is nil where it isn't of that type.
enum OverrideValue {
    case flag(Bool)
    /// `integer` is nil where it isn't whole.
    case number(Double, integer: Int?)
    case text(String)
    case list([String])
    /// A header's: its type is what is asked for.
    case header(String)
    case other

    /// Not null.
    init(_ value: JSONValue, in body: RawSpan) {
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
        case .header(let text) where text.utf8.allSatisfy { 0x30...0x39 ~= $0 }: Int(text)
        case .flag, .text, .list, .header, .other: nil
        }
    }

    var number: Double? {
        switch self {
        case .number(let number, _): number
        case .header(let text) where text.utf8.allSatisfy { 0x30...0x39 ~= $0 || $0 == UInt8(ascii: ".") }: Double(text)
        case .flag, .text, .list, .header, .other: nil
        }
    }

    var text: String? {
        switch self {
        case .text(let text), .header(let text): text
        case .flag, .number, .list, .other: nil
        }
    }

    /// Of a header, the elements of a comma list.
    var texts: [String]? {
        switch self {
        case .text(let text): [text]
        case .list(let texts): texts
        case .header(let text): text.split(separator: ",", omittingEmptySubsequences: false).map { String($0.trimmingBlanks()) }
        case .flag, .number, .other: nil
        }
    }

    var isEmptyText: Bool { text == "" }

    /// Of more than 1,000 strings, the first 1,000: no field takes so many.
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
