public import Codecs
public import ProviderKit

/// The operations of OpenAI's API whose requests and responses are single JSON objects that the router passes through:
/// it changes the `model`, adds the members from the policy, and reads the usage.
///
/// Sources: OpenAI's API reference, "Completions", "Moderations" and "Images"; Cohere's and Jina's references,
/// "Rerank", whose requests and responses vLLM and others have in common.
public enum OpenAIObjects {
    /// OpenAI's legacy completions.
    public static let completions = WireFormat("openai-completions")
    /// OpenAI's moderations.
    public static let moderations = WireFormat("openai-moderations")
    /// OpenAI's image generation.
    public static let images = WireFormat("openai-images")
    /// OpenAI's edits of images: a form, or a JSON object.
    public static let imageEdits = WireFormat("openai-image-edits")
    /// Reranking, as Cohere, Jina and vLLM have it.
    public static let rerank = WireFormat("rerank")

    /// The body of a call: the client's, or what a typed embeddings request gives, with the provider's name of the
    /// model and the members from the policy. All other bytes of a client's body stay as they are.
    ///
    /// - Throws: ``ProviderError/cannotExpress(_:)`` for a typed request of another operation.
    public static func sources(for call: Call, body: RawSpan) throws(ProviderError) -> [BodySource] {
        let policy = PolicyMembers(defaults: call.defaults, overrides: call.overrides)
        switch call.payload {
        case .members(let members): return call.spliced(members, policy, in: body)
        case .embeddings(let request):
            let written = OpenAIEmbeddings.writeRequest(request)
            let members = (try? JSON.members(of: written.span.bytes)) ?? []
            return [.bytes(call.spliced(members, policy, in: written.span.bytes).joined(of: written))]
        case .form(let form): return spliced(form, call)
        case .chat: throw .cannotExpress("a chat request")
        }
    }

    /// A form with another model and the fields from the policy, as texts. Files stay as they are.
    private static func spliced(_ form: MultipartForm, _ call: Call) -> [BodySource] {
        var values: [(name: String, value: [UInt8]?)] = [("model", Array(call.model.utf8))]
        values += call.overrides.map { ($0.key, $0.formText) }
        var sources: [BodySource] = [], end = 0, previous = 0, seen: Set<String> = []
        for part in form.parts {
            defer { previous = part.value.upperBound }
            // Servers differ in which of several fields of a name counts, so that all get the value.
            guard let (_, value) = values.first(where: { $0.name == part.name }) else {
                seen.insert(part.name)
                continue
            }
            if part.text != nil { seen.insert(part.name) }
            if let value {
                sources += [.client(end..<part.value.lowerBound), .bytes(value)]
            } else {
                sources.append(.client(end..<previous))
            }
            end = part.value.upperBound
        }
        sources.append(.client(end..<form.end))
        values += call.defaults.filter { field in !values.contains { $0.name == field.key } }.map { ($0.key, $0.formText) }
        for case (let name, let value?) in values where !seen.contains(name) {
            let head = form.delimiter + Array("\r\ncontent-disposition: form-data; name=\"\(name)\"\r\n\r\n".utf8)
            sources.append(.bytes(head + value + Array("\r\n".utf8)))
        }
        sources.append(.client(form.end..<form.bodyBytes))
        return sources
    }

    /// What a response must have. Sources: OpenAI's API reference; Cohere's and Jina's, "Rerank" (`results`), Voyage's
    /// (`data`) and NVIDIA's (`rankings`); Cohere's, "Embed" (`embeddings`); SiliconFlow's, "Image Generation"
    /// (`images`).
    private static func result(of operation: ProviderKit.Operation) -> OpenAIObjectDecoder.Result {
        switch operation {
        case .embeddings: .list(["data", "embeddings"])
        case .moderation: .list(["results"])
        case .imageGeneration, .imageEdit: .list(["data", "images"])
        case .rerank: .list(["results", "data", "rankings"])
        case .chat, .countTokens, .completion, .transcription, .translation, .speech: .nothing
        }
    }

    /// The decoder for a response: one JSON object. Legacy completions, which may be streamed, have chat's decoders.
    public static func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        if call.operation == .completion { return try OpenAIChat.decoder(for: call, head: head) }
        switch head.bodyForm {
        case .jsonObject:
            return OpenAIObjectDecoder(readsVectors: call.isTyped, requires: result(of: call.operation))
        case .eventStream, .jsonLines: throw ProviderError.unreadable("a stream, which was not requested")
        case .jsonArray: throw ProviderError.unreadable("a JSON array")
        case .markup: throw ProviderError.unreadable("a page of HTML or XML; check 'base_url'")
        case .other: throw ProviderError.unreadable("no JSON; check 'base_url'")
        case nil: throw ProviderError.unreadable("an empty body")
        }
    }
}

extension Call {
    /// Whether the client has another format.
    var isTyped: Bool {
        switch payload {
        case .members, .form: false
        case .chat, .embeddings: true
        }
    }
}

extension BodyField {
    /// The value as the text of a form's field: a string without quotes, anything else as JSON.
    fileprivate var formText: [UInt8]? {
        let tree = JSONTree(json.span.bytes)
        return tree?.isNull == true ? nil : tree?.string.map { Array($0.utf8) } ?? json
    }
}
