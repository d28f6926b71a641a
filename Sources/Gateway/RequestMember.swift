/// A member of a request's body, or a parameter of its query, as `/openapi.json` describes it.
///
/// The description of a body has what the router itself demands. The rest is the business of the vendor whose API it
/// is, and of the provider that gets the request.
struct RequestMember: Sendable {
    let name: String
    /// Its JSON Schema, as JSON. Source: JSON Schema 2020-12, which OpenAPI 3.1 uses.
    let schema: String
    var isRequired = false

    var required: RequestMember { RequestMember(name: name, schema: schema, isRequired: true) }

    static func text(_ name: String) -> RequestMember { RequestMember(name: name, schema: #"{"type":"string"}"#) }

    static func nonEmptyText(_ name: String) -> RequestMember {
        RequestMember(name: name, schema: #"{"type":"string","minLength":1}"#)
    }

    static func flag(_ name: String) -> RequestMember { RequestMember(name: name, schema: #"{"type":"boolean"}"#) }

    static func date(_ name: String) -> RequestMember { RequestMember(name: name, schema: #"{"type":"string","format":"date"}"#) }

    static func file(_ name: String) -> RequestMember { RequestMember(name: name, schema: #"{"type":"string","format":"binary"}"#) }

    static func number(_ name: String, _ range: ClosedRange<Int>) -> RequestMember {
        RequestMember(name: name, schema: #"{"type":"integer","minimum":\#(range.lowerBound),"maximum":\#(range.upperBound)}"#)
    }

    static func choice(_ name: String, _ words: [String]) -> RequestMember {
        RequestMember(name: name, schema: enumeration(words))
    }

    /// - Parameter pattern: a regular expression of ECMA-262, escaped for JSON.
    static func pattern(_ name: String, _ pattern: String) -> RequestMember {
        RequestMember(name: name, schema: #"{"type":"string","pattern":"^\#(pattern)$"}"#)
    }

    /// Words with commas between them.
    static func list(_ name: String, of words: [String]) -> RequestMember {
        let word = "(\(words.joined(separator: "|")))"
        return pattern(name, "\(word)(,\(word))*")
    }

    /// A text, or a list of texts.
    static func texts(_ name: String) -> RequestMember {
        RequestMember(
            name: name,
            schema: #"{"oneOf":[{"type":"string","minLength":1},{"type":"array","minItems":1,"items":{"type":"string","minLength":1}}]}"#)
    }

    /// A list of objects.
    ///
    /// - Parameter properties: the JSON Schemas of their members, all of which are required.
    static func objects(_ name: String, with properties: KeyValuePairs<String, String> = [:]) -> RequestMember {
        RequestMember(name: name, schema: #"{"type":"array","minItems":1,"items":\#(object(properties))}"#)
    }
}

extension [RequestMember] {
    /// Without a name, a request goes to the route `auto`.
    private static let model = RequestMember.text("model")

    static let chat = [
        model,
        messages(from: "system", "developer", "user", "assistant", content: content("text", "image_url", "input_audio", "file")),
        .flag("stream"),
    ]
    static let anthropic = [
        model, messages(from: "user", "assistant", content: content("text", "image", "document")), .flag("stream"),
    ]
    static let responses = [model, .texts("input").required, .flag("stream")]
    static let embeddings = [model, .texts("input").required]
    static let completion = [model, .text("prompt").required]
    static let moderation = [model, .texts("input").required]
    static let image = [model, .nonEmptyText("prompt").required]
    static let imageEdit = [model, .file("image").required, .nonEmptyText("prompt").required]
    static let recording = [model, .file("file").required]
    static let speech = [model, .nonEmptyText("input").required, .nonEmptyText("voice").required]
    static let rerank = [model, .nonEmptyText("query").required, .texts("documents").required]
    static let ollamaChat = [model, messages(from: "system", "user", "assistant", content: text), .flag("stream")]
    static let ollamaPrompt = [model, .nonEmptyText("prompt").required]
    static let ollamaShow = [RequestMember.nonEmptyText("model").required]
    static let gemini = [RequestMember.objects("contents", with: ["role": enumeration("user", "model"), "parts": parts]).required]
    static let geminiEmbedding = [RequestMember(name: "content", schema: object(["parts": parts])).required]
    static let geminiEmbeddings = [RequestMember.objects("requests", with: ["content": object(["parts": parts])]).required]

    private static func messages(from roles: String..., content: String) -> RequestMember {
        .objects("messages", with: ["role": enumeration(roles), "content": content]).required
    }

    /// A text, or a list of parts of some kinds.
    private static func content(_ kinds: String...) -> String {
        #"{"oneOf":[\#(text),{"type":"array","minItems":1,"items":\#(object(["type": enumeration(kinds)]))}]}"#
    }

    private static let text = #"{"type":"string","minLength":1}"#
    private static let parts = #"{"type":"array","minItems":1,"items":\#(object(["text": text]))}"#
}

private func enumeration(_ words: String...) -> String { enumeration(words) }

/// The JSON Schema of one of some words.
private func enumeration(_ words: [String]) -> String {
    #"{"type":"string","enum":[\#(words.map { "\"\($0)\"" }.joined(separator: ","))]}"#
}

/// The JSON Schema of an object with some members.
private func object(_ properties: KeyValuePairs<String, String>) -> String {
    let names = properties.map { "\"\($0.key)\"" }.joined(separator: ",")
    let schemas = properties.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
    return #"{"type":"object","required":[\#(names)],"properties":{\#(schemas)}}"#
}
