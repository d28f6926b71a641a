import Codecs
import ProviderKit

/// The short form of a test's request, and the chat request that it stands for.
struct ExpectedRequest {
    enum Medium: String, CaseIterable {
        case image, audio, file
    }

    /// As the request's `model`; empty: none.
    var models: [String] = []
    /// Whether `model` is a list, be it of one.
    var isList = false
    var text = "Hello"
    var media: [Medium] = []
    var hasTools = false
    var wantsJSON = false
    var maxTokens: Int?
    var fields = RoutingOverrides()

    /// A chat request in JSON.
    var body: [UInt8] {
        var writer = JSONWriter()
        writer.object { body in
            writeModel(&body)
            body.key("messages")
            body.array { $0.object(writeMessage) }
            if hasTools { writeTools(&body) }
            if wantsJSON {
                body.key("response_format")
                body.object { $0.member("type", "json_object") }
            }
            if let maxTokens { body.member("max_tokens", maxTokens) }
            fields.write(&body)
        }
        return writer.bytes
    }

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
    /// The members of a message's part.
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
            // A WAV file's head without samples.
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

extension RoutingOverrides {
    /// As members of a request's body.
    func write(_ body: inout JSONWriter) {
        if let tags {
            body.key("tags")
            body.array { list in for text in tags.texts { list.string(text) } }
        }
        if let type { body.member("type", type) }
        if let minContext { body.member("min_context_size", minContext) }
        if let minOutput { body.member("min_max_output_tokens", minOutput) }
        for capability in supports.map(\.rawValue).sorted() {
            body.key(escaping: "supports_\(capability)")
            body.bool(true)
        }
        if let prefersFast { body.member("prefer_fast", prefersFast) }
        if let minSuccessRate {
            body.key("min_success_rate")
            body.double(minSuccessRate)
        }
        if let selectionMode { body.member("selection_mode", selectionMode.rawValue) }
        if let maxModelSwitches { body.member("max_model_switches", maxModelSwitches) }
        if let retries { body.member("max_same_model_retries", retries) }
        if let retryDelay { body.member("retry_delay", Int(retryDelay / .milliseconds(1))) }
        if let timeout { body.member("timeout_secs", Int(timeout / .seconds(1))) }
        if let fallbackProvider { body.member("fallback_provider", fallbackProvider) }
        if let fallbackModel { body.member("fallback_model", fallbackModel) }
    }
}
