import Codecs

/// A schema of a response, as Anthropic takes it. Sources: Anthropic's guide "Structured outputs", "JSON Schema
/// limitations"; its Python SDK, `lib/_parse/_transform.py`.
enum AnthropicSchema {
    /// The schema with objects that allow no other members than those that it describes. Limits, which Anthropic
    /// refuses, become a part of the description, as in Anthropic's SDK: `{minimum: 1, maximum: 10}`.
    static func accepted(_ schema: [UInt8]) -> [UInt8] {
        JSONTree(schema.span.bytes).map { accepted($0).encoded } ?? schema
    }

    private static let limits: Set = [
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems",
        "uniqueItems", "minContains", "maxContains", "minProperties", "maxProperties",
    ]
    /// The members that are objects with schemas under names of their own.
    private static let containers: Set = ["properties", "patternProperties", "$defs", "definitions"]
    /// The members that are values, and no schemas.
    private static let values: Set = ["enum", "const", "default", "examples"]

    private static func accepted(_ schema: JSONTree) -> JSONTree {
        switch schema {
        case .array(let elements): return .array(elements.map(accepted))
        case .string, .scalar: return schema
        case .object(let members):
            var kept: [JSONTree.Member] = [], refused: [String] = []
            for member in members {
                let name = member.name
                if limits.contains(name), !(name == "minItems" && member.value.integer.map { $0 == 0 || $0 == 1 } == true) {
                    refused.append("\(name): \(String(decoding: member.value.encoded, as: UTF8.self))")
                } else if containers.contains(name), let schemas = member.value.members {
                    let inner = schemas.map { JSONTree.Member(key: $0.key, value: accepted($0.value)) }
                    kept.append(JSONTree.Member(key: member.key, value: .object(inner)))
                } else {
                    kept.append(values.contains(name) ? member : JSONTree.Member(key: member.key, value: accepted(member.value)))
                }
            }
            let isObject = schema["type"]?.string == "object" && schema["properties"]?.members != nil
            if isObject, schema["additionalProperties"] == nil {
                kept.append(JSONTree.Member(key: Array("additionalProperties".utf8), value: .scalar(Array("false".utf8))))
            }
            return refused.isEmpty ? .object(kept) : described(kept, "{\(refused.joined(separator: ", "))}")
        }
    }

    private static func described(_ members: [JSONTree.Member], _ words: String) -> JSONTree {
        var members = members
        let place = members.lastIndex { $0.hasKey("description") }
        let text = place.flatMap { members[$0].value.string }.map { "\($0)\n\n\(words)" } ?? words
        if let place {
            members[place].value = .text(text)
        } else {
            members.append(JSONTree.Member(key: Array("description".utf8), value: .text(text)))
        }
        return .object(members)
    }
}
