import Codecs
import ProviderKit

extension ChatRequest {
    /// The keys of a chat request that the router reads. From `tags` on they are the router's own, which no upstream sees.
    enum Field: Int, CaseIterable {
        case messages, stream, n, streamOptions, responseFormat, tools, functions, maxTokens, maxCompletionTokens, model
        case tags, type, minContextSize, minMaxOutputTokens, supportsImage, supportsVideo, supportsAudio, supportsFile, supportsTools,
            preferFast, minSuccessRate,
            selectionMode, maxModelSwitches, maxSameModelRetries, retryDelay, timeoutSecs, fallbackProvider, fallbackModel

        /// In the order of the cases.
        private static let names: [StaticString] = [
            "messages", "stream", "n", "stream_options", "response_format", "tools", "functions", "max_tokens", "max_completion_tokens",
            "model",
            "tags", "type", "min_context_size", "min_max_output_tokens", "supports_image", "supports_video", "supports_audio",
            "supports_file", "supports_tools",
            "prefer_fast", "min_success_rate", "selection_mode", "max_model_switches", "max_same_model_retries", "retry_delay",
            "timeout_secs",
            "fallback_provider", "fallback_model",
        ]

        var name: String { "\(Self.names[rawValue])" }

        var isOwn: Bool { rawValue >= Field.tags.rawValue }

        /// For each length of a name, a bit for each field whose name has it.
        private static let byLength = InlineArray<32, UInt32> { length in
            names.indices.reduce(0) { names[$1].utf8CodeUnitCount == length ? $0 | 1 << UInt32($1) : $0 }
        }

        /// By meaning, so that an escaped key is the same key. Most members are none of these, and are told by their length.
        init?(_ key: Range<Int>, in body: RawSpan) {
            let length = key.count - 2
            if Self.byLength.indices.contains(length), let field = Self(key, among: Self.byLength[length], in: body) {
                self = field
                return
            }
            // What is longer than it means has an escape.
            guard JSON.contentLength(key, in: body) != length, let field = Self(key, among: .max, in: body) else { return nil }
            self = field
        }

        @inline(__always)
        private init?(_ key: Range<Int>, among fields: UInt32, in body: RawSpan) {
            var rest = fields
            while rest != 0 {
                let index = rest.trailingZeroBitCount
                rest &= rest - 1
                guard index < Self.names.count, JSON.isKey(key, Self.names[index], in: body) else { continue }
                self.init(rawValue: index)
                return
            }
            return nil
        }
    }
}
