import Codecs

/// Schemas as Gemini's `parameters` and `responseSchema` have them: a subset of OpenAPI's. Source: the Gemini API
/// reference, `Schema`.
enum GeminiSchema {
    /// The schema as JSON Schema: types in lower case, and null as a type.
    static func jsonSchema(_ schema: JSONTree) -> JSONTree {
        guard let members = schema.members else { return schema }
        let isNullable = schema["nullable"]?.bool == true
        var written: [JSONTree.Member] = []
        for member in members {
            let value: JSONTree
            switch member.name {
            case "nullable", "propertyOrdering", "property_ordering": continue
            case "type":
                guard let type = member.value.string?.lowercased(), type != "type_unspecified" else { continue }
                value = isNullable ? .array([.text(type), .text("null")]) : .text(type)
            case "properties":
                guard let properties = member.value.members else { continue }
                value = .object(properties.map { JSONTree.Member(key: $0.key, value: jsonSchema($0.value)) })
            case "items": value = jsonSchema(member.value)
            case "anyOf", "any_of": value = .array((member.value.elements ?? []).map(jsonSchema))
            case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties", "min_items", "max_items",
                "min_length", "max_length", "min_properties", "max_properties":
                // 64-bit integers are texts in ProtoJSON.
                value = member.value.string.flatMap(Int.init).map { .scalar(Array("\($0)".utf8)) } ?? member.value
            default: value = member.value
            }
            written.append(JSONTree.Member(key: camelCase(member.key), value: value))
        }
        return .object(written)
    }

    private static func camelCase(_ key: [UInt8]) -> [UInt8] {
        guard key.contains(UInt8(ascii: "_")) else { return key }
        let words = key.split(separator: UInt8(ascii: "_"))
        return words.enumerated().flatMap { index, word in
            index == 0 ? Array(word) : Array(String(decoding: word, as: UTF8.self).prefix(1).uppercased().utf8) + word.dropFirst()
        }
    }
}

extension JSONTree {
    /// A string, with the escapes that it needs.
    static func text(_ text: String) -> JSONTree {
        var writer = JSONWriter(capacity: text.utf8.count + 2)
        writer.string(text)
        return .string(Array(writer.bytes.dropFirst().dropLast()))
    }
}
