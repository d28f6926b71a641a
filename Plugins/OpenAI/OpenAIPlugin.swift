public import ConfigTree
public import ProviderKit

/// OpenAI itself: `plugin: openai`.
public enum OpenAIPlugin: ProviderPlugin {
    public static let name = "openai"

    public static func readOptions(_ fields: inout FieldReader) -> OpenAIOptions? {
        OpenAIOptions(
            &fields, defaultBaseURL: BaseURL(origin: Origin(isTLS: true, host: "api.openai.com", port: 443), path: "/v1"), needsKey: true,
            readsContinues: false)
    }

    public static func makeProvider(_ options: OpenAIOptions) -> any Provider {
        OpenAIProvider(options)
    }
}

/// Anything that speaks OpenAI's wire format at a `base_url`: `plugin: openai-compatible`.
public enum OpenAICompatiblePlugin: ProviderPlugin {
    public static let name = "openai-compatible"

    public static func readOptions(_ fields: inout FieldReader) -> OpenAIOptions? {
        OpenAIOptions(&fields, defaultBaseURL: nil, needsKey: false, readsContinues: true)
    }

    public static func makeProvider(_ options: OpenAIOptions) -> any Provider {
        OpenAIProvider(options)
    }
}

/// A translator for OpenAI's format. Answers pass as they are; of a request only `model` and the policy's own fields change.
public struct OpenAIProvider: Provider {
    public let capabilities: Capabilities
    let options: OpenAIOptions
    let fields: [HTTPField]
    let chatTarget: String

    public init(_ options: OpenAIOptions) {
        self.options = options
        capabilities = Capabilities(operations: [.chat], canContinue: options.continues != .no)
        var fields = [HTTPField("content-type", "application/json"), HTTPField("accept-encoding", "identity")]
        if let key = options.apiKey { fields.append(HTTPField("authorization", Secret("Bearer \(key.reveal())"))) }
        self.fields = fields + options.headers
        chatTarget = options.baseURL.path + "/chat/completions"
    }

    public var origin: Origin? { options.baseURL.origin }

    public var secrets: [Secret] {
        let headers = options.headers.compactMap { field -> Secret? in
            if case .secret(let value) = field.value { value } else { nil }
        }
        return headers + (options.apiKey.map { [$0] } ?? [])
    }

    public func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        try OpenAIResponse.decoder(for: call, head: head)
    }
}
