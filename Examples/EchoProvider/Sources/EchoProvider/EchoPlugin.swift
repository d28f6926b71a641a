public import ConfigTree
public import ProviderKit
import WireFormats

/// The entry point of the library.
@_cdecl("llm_router_plugin")
public func llmRouterPlugin() -> UnsafeMutableRawPointer { PluginExport.pointer(to: EchoPlugin.self) }

/// A provider that repeats the last message, from inside the process: `plugin: echo`.
public enum EchoPlugin: ProviderPlugin {
    public static let name = "echo"
    public static let version: String? = "1.0.0"

    public static func readOptions(_ fields: inout FieldReader) -> EchoOptions? {
        fields.describe("prefix", "the text before the repeated one", default: "'Echo 1.0.0 says: '")
        fields.describe("delay", "the time before each word of a stream", default: "0s")
        return EchoOptions(
            prefix: fields.string("prefix") ?? "Echo 1.0.0 says: ", delay: fields.duration("delay", in: .zero ... .seconds(60)) ?? .zero)
    }

    public static func makeProvider(_ options: EchoOptions) -> any Provider { EchoProvider(options: options) }
}

public struct EchoOptions: Sendable, Equatable {
    var prefix: String
    var delay: Duration
}

struct EchoProvider: Provider {
    let options: EchoOptions

    func formats(for operation: ProviderKit.Operation, model: String) -> [WireFormat] {
        operation == .chat ? [OpenAIChat.format] : []
    }

    /// Never called, because the provider has no `origin`.
    func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest { throw .cannotExpress("a request to a server") }

    /// What a server with OpenAI's format would send. A stream has one chunk for each word.
    func response(to call: Call, body: RawSpan) -> LocalResponse {
        let request = if case .chat(let request) = call.payload { request } else { try? OpenAIChat.readRequest(body) }
        let text = options.prefix + (request?.messages.last?.text ?? "")
        guard call.isStream else {
            var writer = OpenAICompletionWriter(id: "echo", created: 0, model: call.model)
            writer.add(.text(text))
            return LocalResponse(head: head("application/json"), chunks: [.init(bytes: writer.completion(nil))])
        }
        var writer = OpenAIChunkWriter(id: "echo", created: 0, model: call.model)
        let words = text.split(separator: " ", omittingEmptySubsequences: false).enumerated().map { ($0 == 0 ? "" : " ") + $1 }
        let chunks = (words.map(ChatEvent.text) + [.finish(.stop)]).compactMap { writer.chunk($0) } + [Array("[DONE]".utf8)]
        return LocalResponse(
            head: head("text/event-stream"), chunks: chunks.map { .init(delay: options.delay, bytes: "data: ".utf8 + $0 + "\n\n".utf8) })
    }

    func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        try OpenAIChat.decoder(for: call, head: head)
    }

    private func head(_ type: String) -> UpstreamHead { UpstreamHead(status: 200, fields: [HTTPField("content-type", type)]) }
}
