import Codecs

/// Schemas as Gemini's `parameters` and `responseSchema` have them: a subset of OpenAPI's. Source: the Gemini API
/// reference, `Schema`.
enum GeminiSchema {
    /// The schema as JSON Schema: types in lower case, and null wherever the schema restricts the value.
    static func jsonSchema(_ schema: JSONTree) -> JSONTree {
        guard let members = schema.members else { return schema }
        let isNullable = schema["nullable"]?.bool == true
        func list(_ values: [JSONTree], withNull null: JSONTree) -> JSONTree {
            .array(isNullable && !values.contains(null) ? values + [null] : values)
        }
        var written: [JSONTree.Member] = []
        for member in members {
            let value: JSONTree
            switch member.name {
            case "nullable", "propertyOrdering", "property_ordering": continue
            case "type":
                guard let type = member.value.string?.lowercased(), type != "type_unspecified" else { continue }
                value = isNullable ? .array([.text(type), .text("null")]) : .text(type)
            case "properties": value = jsonSchemas(member.value)
            case "defs":
                written.append(JSONTree.Member(key: Array("$defs".utf8), value: jsonSchemas(member.value)))
                continue
            case "ref":
                guard let place = member.value.string else { continue }
                written.append(JSONTree.Member(key: Array("$ref".utf8), value: .text(place.replacing("#/defs/", with: "#/$defs/"))))
                continue
            case "items", "additionalProperties", "additional_properties": value = jsonSchema(member.value)
            case "enum": value = list(member.value.elements ?? [], withNull: null)
            case "anyOf", "any_of":
                let nullType = JSONTree.object([JSONTree.Member(key: Array("type".utf8), value: .text("null"))])
                value = list((member.value.elements ?? []).map(jsonSchema), withNull: nullType)
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

    private static let null = JSONTree.scalar(Array("null".utf8))

    /// The schemas in an object, each under its name.
    private static func jsonSchemas(_ schemas: JSONTree) -> JSONTree {
        .object((schemas.members ?? []).map { JSONTree.Member(key: $0.key, value: jsonSchema($0.value)) })
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
