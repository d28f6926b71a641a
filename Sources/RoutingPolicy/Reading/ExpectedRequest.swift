import Codecs
import ProviderKit

/// The short form of a test's request. `body` is the request that it describes.
struct ExpectedRequest: OptionHolder {
    enum Medium: String, CaseIterable {
        case image, audio, file
    }

    var operation = ProviderKit.Operation.chat
    /// The names in the request's `model`. Empty: the request has no `model`.
    var models: [String] = []
    /// Whether `model` is a list, even if it has only one name.
    var isList = false
    var text = "Hello"
    var media: [Medium] = []
    var hasTools = false
    var wantsJSON = false
    var maxTokens: Int?
    /// nil: the request doesn't say it.
    var isStream: Bool?
    /// Names in lower case.
    var headers: [RequestHeader] = []
    var face = FaceName.openai
    /// The number of prompt tokens; nil: it is estimated.
    var tokens: Int?
    /// The whole body, in place of everything else but `tokens`, `header` and `face`; nil: it is made from the rest.
    var givenBody: [UInt8]?
    var overrides = RoutingOverrides()

    /// The request as JSON. For an operation other than chat it has only the model and the text.
    var body: [UInt8] {
        var writer = JSONWriter()
        writer.object { body in
            writeModel(&body)
            if operation == .chat {
                body.key("messages")
                body.array { $0.object(writeMessage) }
            } else if operation == .rerank {
                body.member("query", text)
                body.key("documents")
                body.array { $0.string(text) }
            } else {
                body.member(Self.prompted.contains(operation) ? "prompt" : "input", text)
            }
            if hasTools { writeTools(&body) }
            if wantsJSON {
                body.key("response_format")
                body.object { $0.member("type", "json_object") }
            }
            if let maxTokens { body.member("max_tokens", maxTokens) }
            if let isStream { body.member("stream", isStream) }
            for override in RoutingOverride.all { override.write(overrides, &body) }
        }
        return writer.bytes
    }

    /// The operations whose requests have their text in `prompt`.
    private static let prompted: [ProviderKit.Operation] = [.completion, .imageGeneration, .imageEdit]

    private func writeModel(_ body: inout JSONWriter) {
        guard let first = models.first else { return }
        body.key("model")
        if isList { body.array { list in for model in models { list.string(model) } } } else { body.string(first) }
    }

    private func writeMessage(_ message: inout JSONWriter) {
        message.member("role", "user")
        message.key("content")
        guard !media.isEmpty else {
            message.string(text)
            return
        }
        message.array { parts in
            parts.object {
                $0.member("type", "text")
                $0.member("text", text)
            }
            for medium in media { parts.object { medium.write(&$0) } }
        }
    }

    private func writeTools(_ body: inout JSONWriter) {
        body.key("tools")
        body.array {
            $0.object { tool in
                tool.member("type", "function")
                tool.key("function")
                tool.object { function in
                    function.member("name", "look_up")
                    function.key("parameters")
                    function.object { $0.member("type", "object") }
                }
            }
        }
    }
}

extension ExpectedRequest.Medium {
    /// Writes the members of a message's content part.
    fileprivate func write(_ part: inout JSONWriter) {
        switch self {
        case .image:
            part.member("type", "image_url")
            part.key("image_url")
            // One transparent pixel.
            let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
            part.object { $0.member("url", "data:image/png;base64,\(png)") }
        case .audio:
            part.member("type", "input_audio")
            part.key("input_audio")
            // A WAV header without samples.
            part.object {
                $0.member("data", "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=")
                $0.member("format", "wav")
            }
        case .file:
            part.member("type", "file")
            part.key("file")
            part.object {
                $0.member("filename", "empty.pdf")
                $0.member("file_data", "data:application/pdf;base64,JVBERi0xLjQKJSVFT0YK")
            }
        }
    }
}
