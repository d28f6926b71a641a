import Codecs

/// What OpenAI demands of a schema that a response must match exactly.
enum OpenAISchema {
    /// Whether OpenAI accepts a schema with `strict`: each object in it requires all of its properties and allows no
    /// others. Source: OpenAI's guide "Structured Outputs", "Supported schemas".
    ///
    /// - Parameter schema: encoded as JSON; nil for a tool without arguments, which `strict` doesn't allow either.
    static func allowsStrict(_ schema: [UInt8]?) -> Bool {
        guard let schema, let tree = JSONTree(schema.span.bytes) else { return false }
        return tree["type"]?.string == "object" && allowsStrict(tree)
    }

    private static func allowsStrict(_ schema: JSONTree) -> Bool {
        guard let members = schema.members else { return true }
        let types = schema["type"]?.elements ?? schema["type"].map { [$0] } ?? []
        if schema["properties"] != nil || types.contains(where: { $0.string == "object" }) {
            let required = Set((schema["required"]?.elements ?? []).compactMap(\.string))
            let properties = (schema["properties"]?.members ?? []).map(\.name)
            guard schema["additionalProperties"]?.bool == false, required.isSuperset(of: properties) else { return false }
        }
        return members.allSatisfy { member in
            switch member.name {
            case "properties", "$defs", "definitions": member.value.members?.allSatisfy { allowsStrict($0.value) } ?? false
            case "items": allowsStrict(member.value)
            case "anyOf": member.value.elements?.allSatisfy(allowsStrict) ?? false
            // Source: the same guide, the keywords that are not supported.
            case "allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "patternProperties": false
            default: true
            }
        }
    }
}
