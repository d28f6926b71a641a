import Codecs
import ProviderKit

extension Usage {
    /// Reads the value of `usage`, which must be an object and the cursor's next value. nil if it contains none of the
    /// known numbers. Providers use several members for some of them, here in order of precedence:
    ///
    /// - cached tokens: `prompt_tokens_details.cached_tokens` (OpenAI), `prompt_cache_hit_tokens` (DeepSeek),
    ///   `cached_tokens` (Moonshot), `cache_read_input_tokens` (proxies of Anthropic, such as LiteLLM)
    /// - tokens written to a cache: `prompt_tokens_details.cache_write_tokens` (OpenAI, OpenRouter),
    ///   `prompt_tokens_details.cached_creation_tokens` (new-api), `cache_creation_input_tokens` (proxies of Anthropic)
    /// - reasoning tokens: `completion_tokens_details.reasoning_tokens` (OpenAI), `reasoning_tokens`
    /// - completion tokens: `completion_tokens`, corrected by `total_tokens`: xAI and Gemini's OpenAI endpoint count
    ///   the reasoning beside it [sub2api#5771]
    /// - prompt and completion tokens: `input_tokens` and `output_tokens` (OpenAI's audio and images, and servers that
    ///   use the Responses format's names), with `input_tokens_details` and `output_tokens_details`
    /// - audio in the prompt: `prompt_tokens_details.audio_tokens` (OpenAI's chats), `input_token_details.audio_tokens`
    ///   or `seconds` (OpenAI's transcriptions); in the response: `completion_tokens_details.audio_tokens`
    /// - cost: `cost`, if it is a number (OpenRouter's "Usage Accounting": in credits, each of one US dollar)
    init?(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) {
        self.init()
        var cacheHits: Int?, topCached: Int?, topWritten: Int?, topReasoning: Int?, input: Int?, output: Int?, total: Int?
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            if try cursor.peekKind(bytes) == .object {
                if Self.promptDetails.contains(where: { JSON.isKey(key, $0, in: bytes) }) {
                    let found = try Self.details(&cursor, bytes)
                    cachedTokens = found.cached ?? cachedTokens
                    cacheWriteTokens = found.written ?? cacheWriteTokens
                    audioTokens = found.audio ?? audioTokens
                    continue
                }
                if Self.completionDetails.contains(where: { JSON.isKey(key, $0, in: bytes) }) {
                    let found = try Self.details(&cursor, bytes)
                    reasoningTokens = found.reasoning ?? reasoningTokens
                    audioOutputTokens = found.audio ?? audioOutputTokens
                    continue
                }
            }
            let value = try cursor.skipValue(bytes)
            guard value.kind == .number else { continue }
            if JSON.isKey(key, "prompt_tokens", in: bytes) {
                promptTokens = Self.count(value, bytes)
            } else if JSON.isKey(key, "completion_tokens", in: bytes) {
                completionTokens = Self.count(value, bytes)
            } else if JSON.isKey(key, "total_tokens", in: bytes) {
                total = Self.count(value, bytes)
            } else if JSON.isKey(key, "prompt_cache_hit_tokens", in: bytes) {
                cacheHits = Self.count(value, bytes)
            } else if JSON.isKey(key, "cached_tokens", in: bytes) || JSON.isKey(key, "cache_read_input_tokens", in: bytes) {
                topCached = Self.count(value, bytes)
            } else if JSON.isKey(key, "cache_creation_input_tokens", in: bytes) {
                topWritten = Self.count(value, bytes)
            } else if JSON.isKey(key, "reasoning_tokens", in: bytes) {
                topReasoning = Self.count(value, bytes)
            } else if JSON.isKey(key, "input_tokens", in: bytes) {
                input = Self.count(value, bytes)
            } else if JSON.isKey(key, "output_tokens", in: bytes) {
                output = Self.count(value, bytes)
            } else if JSON.isKey(key, "seconds", in: bytes) {
                audioSeconds = Self.seconds(value, bytes)
            } else if JSON.isKey(key, "cost", in: bytes) {
                costUSD = JSON.double(value, in: bytes).flatMap { $0 >= 0 ? $0 : nil }
            }
        }
        cachedTokens = cachedTokens ?? cacheHits ?? topCached
        cacheWriteTokens = cacheWriteTokens ?? topWritten
        reasoningTokens = reasoningTokens ?? topReasoning
        promptTokens = promptTokens ?? input
        completionTokens = completionTokens ?? output
        if let total { reconcile(total: total) }
        if promptTokens == nil, completionTokens == nil, self == Usage() { return nil }
    }

    /// The members with the kinds of the prompt's tokens, and of the completion's.
    private static let promptDetails: [StaticString] = ["prompt_tokens_details", "input_tokens_details", "input_token_details"]
    private static let completionDetails: [StaticString] = ["completion_tokens_details", "output_tokens_details", "output_token_details"]

    /// The kinds of tokens that the details of the prompt or the completion count.
    private struct Details {
        var cached: Int?, written: Int?, audio: Int?, reasoning: Int?
    }

    private static func details(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) -> Details {
        var details = Details()
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            let value = try cursor.skipValue(bytes)
            if JSON.isKey(key, "cached_tokens", in: bytes) {
                details.cached = count(value, bytes)
            } else if JSON.isKey(key, "cache_write_tokens", in: bytes) || JSON.isKey(key, "cached_creation_tokens", in: bytes) {
                details.written = count(value, bytes)
            } else if JSON.isKey(key, "audio_tokens", in: bytes) {
                details.audio = count(value, bytes)
            } else if JSON.isKey(key, "reasoning_tokens", in: bytes) {
                details.reasoning = count(value, bytes)
            }
        }
        return details
    }

    /// A length of audio, which may be a text, as older servers send it; nil if it is negative, or longer than a month.
    static func seconds(_ value: JSONValue, _ bytes: RawSpan) -> Double? {
        let seconds: Double? =
            switch value.kind {
            case .number: JSON.double(value, in: bytes)
            case .string: Double(JSON.string(value.range, in: bytes))
            default: nil
            }
        return seconds.flatMap { (0...2_678_400).contains($0) ? $0 : nil }
    }

    /// A number of tokens. A negative number counts as unknown.
    private static func count(_ value: JSONValue, _ bytes: RawSpan) -> Int? {
        JSON.integer(value, in: bytes).flatMap { $0 >= 0 ? $0 : nil }
    }
}
