import ArgumentParser
import Codecs
import ProviderKit

/// The options that describe a request.
struct RequestOptions: ParsableArguments {
    @Option(parsing: .singleValue, help: "The model that the request names; repeat it for a list that is tried in order.")
    var model: [String] = []

    @Option(help: "The request's 'tags'.")
    var tags: String?

    @Flag(help: "The messages contain an image.")
    var image = false

    @Flag(help: "The messages contain audio.")
    var audio = false

    @Flag(help: "The messages contain a file.")
    var file = false

    @Flag(help: "The request has tools.")
    var tools = false

    @Flag(help: "The request's 'response_format' is JSON.")
    var jsonOutput = false

    @Option(help: "The request's 'max_tokens'.")
    var maxTokens: Int?

    @Flag(inversion: .prefixedNo, help: "The request asks for a stream, or for none; without it, the API's default counts.")
    var stream: Bool?

    /// The names of the options that are set.
    var usedOptions: [String] {
        Self.names([("--model", !model.isEmpty), ("--tags", tags != nil), ("--stream", stream != nil)]) + usedChatOptions
    }

    /// Those that only a chat request has.
    var usedChatOptions: [String] {
        Self.names([
            ("--image", image), ("--audio", audio), ("--file", file), ("--tools", tools), ("--json-output", jsonOutput),
            ("--max-tokens", maxTokens != nil),
        ])
    }

    private static func names(_ options: [(String, Bool)]) -> [String] { options.filter(\.1).map(\.0) }

    func sample(of operation: ProviderKit.Operation) -> SampleBody {
        SampleBody(
            operation: operation, models: model, tags: tags, hasImage: image, hasAudio: audio, hasFile: file, hasTools: tools,
            wantsJSON: jsonOutput,
            maxTokens: maxTokens, isStream: stream)
    }
}

/// A short request with the members that routing looks at.
struct SampleBody {
    var operation = ProviderKit.Operation.chat
    var models: [String] = []
    var tags: String?
    var hasImage = false
    var hasAudio = false
    var hasFile = false
    var hasTools = false
    var wantsJSON = false
    var maxTokens: Int?
    /// nil: the request doesn't say it.
    var isStream: Bool?

    var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { body in
            if models.count == 1 { body.member("model", models[0]) }
            if models.count > 1 {
                body.key("model")
                body.array { list in for name in models { list.string(name) } }
            }
            if operation == .chat {
                body.key("messages")
                body.array { $0.object(writeMessage) }
            } else {
                body.member("input", "Hello")
            }
            if hasTools {
                body.key("tools")
                body.raw(Array(#"[{"type":"function","function":{"name":"look_up","parameters":{"type":"object"}}}]"#.utf8))
            }
            if wantsJSON {
                body.key("response_format")
                body.object { $0.member("type", "json_object") }
            }
            if let maxTokens { body.member("max_tokens", maxTokens) }
            if let tags { body.member("tags", tags) }
            if let isStream { body.member("stream", isStream) }
        }
        return writer.bytes
    }

    private func writeMessage(_ message: inout JSONWriter) {
        message.member("role", "user")
        message.key("content")
        var parts = [#"{"type":"text","text":"Hello"}"#]
        if hasImage { parts.append(#"{"type":"image_url","image_url":{"url":"data:image/png;base64,"}}"#) }
        if hasAudio { parts.append(#"{"type":"input_audio","input_audio":{"data":"","format":"wav"}}"#) }
        if hasFile { parts.append(#"{"type":"file","file":{"filename":"empty.pdf","file_data":"data:application/pdf;base64,"}}"#) }
        message.array { for part in parts { $0.raw(Array(part.utf8)) } }
    }
}
