import ProviderKit

extension ChatRequest {
    /// The keys of a chat request that the router reads. From `tags` on they are the router's own, which no upstream sees.
    enum Field: Int, CaseIterable {
        case messages, stream, n, streamOptions, responseFormat, tools, functions, maxTokens, maxCompletionTokens, model
        case tags, type, minContextSize, minMaxOutputTokens, supportsImage, supportsVideo, supportsAudio, supportsFile, supportsTools, preferFast, minSuccessRate,
            selectionMode, maxModelSwitches, maxSameModelRetries, retryDelay, timeoutSecs, fallbackProvider, fallbackModel

        /// In the order of the cases.
        private static let names: [StaticString] = [
            "messages", "stream", "n", "stream_options", "response_format", "tools", "functions", "max_tokens", "max_completion_tokens", "model",
            "tags", "type", "min_context_size", "min_max_output_tokens", "supports_image", "supports_video", "supports_audio", "supports_file", "supports_tools",
            "prefer_fast", "min_success_rate", "selection_mode", "max_model_switches", "max_same_model_retries", "retry_delay", "timeout_secs",
            "fallback_provider", "fallback_model",
        ]

        var name: String { "\(Self.names[rawValue])" }

        var isOwn: Bool { rawValue >= Field.tags.rawValue }

        /// By meaning, so that an escaped key is the same key. Most members are none of these, and are told by their length.
        init?(_ key: Range<Int>, in body: RawSpan) {
            let length = key.count - 2
            let isPlain = !key.contains { body.unsafeLoad(fromByteOffset: $0, as: UInt8.self) == UInt8(ascii: "\\") }
            for (index, name) in Self.names.enumerated() where !isPlain || name.utf8CodeUnitCount == length {
                if JSON.isKey(key, name, in: body) {
                    self.init(rawValue: index)
                    return
                }
            }
            return nil
        }
    }
}
