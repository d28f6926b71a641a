import Codecs
import ProviderKit

/// A value of a request with its place, so that a wrong one is refused by name. Null counts as absent.
struct RequestValue {
    let tree: JSONTree
    /// Such as `messages[2].content`; empty for the entire body.
    let place: String

    init(_ tree: JSONTree, _ place: String) {
        self.tree = tree
        self.place = place
    }

    subscript(name: StaticString) -> RequestValue? {
        guard let value = tree[name], !value.isNull else { return nil }
        return RequestValue(value, place.isEmpty ? "\(name)" : "\(place).\(name)")
    }

    /// The value itself, if it says something; nil for an empty text, list or object. Clients write these for what they
    /// don't set, such as the default values of a protocol buffer.
    var unlessEmpty: RequestValue? {
        tree.string?.isEmpty == true || tree.elements?.isEmpty == true || tree.members?.isEmpty == true ? nil : self
    }

    func required(_ name: StaticString) throws(ProviderError) -> RequestValue {
        if let value = self[name] { return value }
        let missing = place.isEmpty ? "\(name)" : "\(place).\(name)"
        throw ProviderError(.clientError, status: 400, message: "'\(missing)' is missing", code: "missing_field", param: missing)
    }

    func elements() throws(ProviderError) -> [RequestValue] {
        guard let elements = tree.elements else { throw invalid("a list") }
        return elements.enumerated().map { RequestValue($0.element, "\(place)[\($0.offset)]") }
    }

    func text() throws(ProviderError) -> String {
        if let text = tree.string { return text }
        throw invalid("a text")
    }

    /// A text, or a list of texts.
    func texts() throws(ProviderError) -> [String] {
        if let text = tree.string { return [text] }
        var texts: [String] = []
        for element in try elements() { texts.append(try element.text()) }
        return texts
    }

    func integer() throws(ProviderError) -> Int {
        if let integer = tree.integer { return integer }
        throw invalid("a whole number")
    }

    func number() throws(ProviderError) -> Double {
        if let number = tree.double { return number }
        throw invalid("a number")
    }

    func bool() throws(ProviderError) -> Bool {
        if let bool = tree.bool { return bool }
        throw invalid("true or false")
    }

    /// An object of texts. Numbers and booleans in it become texts.
    func dictionary() throws(ProviderError) -> [String: String] {
        guard let members = tree.members else { throw invalid("an object") }
        var dictionary: [String: String] = [:]
        for member in members {
            dictionary[member.name] = member.value.string ?? String(decoding: member.value.encoded, as: UTF8.self)
        }
        return dictionary
    }

    /// The value as JSON.
    var encoded: [UInt8] { tree.encoded }

    func invalid(_ expected: String) -> ProviderError { .invalid("'\(place)'", place, expected) }
}

extension ProviderError {
    static func invalid(_ what: String, _ place: String, _ expected: String) -> ProviderError {
        ProviderError(
            .clientError, status: 400, message: "\(what) must be \(expected)", code: "invalid_value", param: place.isEmpty ? nil : place)
    }
}
