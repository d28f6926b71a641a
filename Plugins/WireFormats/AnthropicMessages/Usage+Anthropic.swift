import Codecs
import ProviderKit

/// The usage that a response has reported so far. Each report counts all tokens until then, and replaces only the
/// numbers that it has.
///
/// What a compaction or an advisor has used stands in `iterations` alone, and is added: it is billed like the rest. The
/// other iterations are the parts of the numbers at the top. One of the type `fallback_message` says which model has
/// made the response in place of the called one. Source: the SDK's `BetaUsage` and `BetaFallbackBlock`.
struct AnthropicUsage {
    private struct Numbers {
        var input: Int?, read: Int?, write: Int?, longWrite: Int?, output: Int?, thinking: Int?

        /// - Parameter hasOutput: whether `output_tokens` counts. At the start of a stream it is that of a part of the
        ///   first token.
        mutating func read(_ object: JSONTree, hasOutput: Bool) {
            input = Self.count(object["input_tokens"]) ?? input
            read = Self.count(object["cache_read_input_tokens"]) ?? read
            write = Self.count(object["cache_creation_input_tokens"]) ?? write
            longWrite = Self.count(object["cache_creation"]?["ephemeral_1h_input_tokens"]) ?? longWrite
            if hasOutput { output = Self.count(object["output_tokens"]) ?? output }
            thinking = Self.count(object["output_tokens_details"]?["thinking_tokens"]) ?? thinking
        }

        /// A number of tokens. A negative number, and one that no response has, count as unknown.
        private static func count(_ value: JSONTree?) -> Int? {
            value?.integer.flatMap { (0...1_000_000_000_000).contains($0) ? $0 : nil }
        }
    }

    private var numbers = Numbers()
    /// The iterations that the numbers at the top don't include.
    private var extra: [Numbers] = []
    /// The model of Anthropic's own fallback that made the response; nil if the called one did.
    private(set) var fallback: String?

    /// Reads a value of `usage`.
    mutating func read(_ json: RawSpan, atStart: Bool) {
        guard let object = JSONTree(json) else { return }
        numbers.read(object, hasOutput: !atStart)
        guard let iterations = object["iterations"]?.elements else { return }
        fallback = iterations.last { $0["type"]?.string == "fallback_message" }?["model"]?.string ?? fallback
        extra = iterations.prefix(1000).filter { ["compaction", "advisor_message"].contains($0["type"]?.string) }.map { iteration in
            var numbers = Numbers()
            numbers.read(iteration, hasOutput: true)
            return numbers
        }
    }

    /// The usage; nil if nothing was reported. The prompt's tokens include those of the cache.
    var usage: Usage? {
        func sum(_ number: (Numbers) -> Int?) -> Int? {
            number(numbers).map { extra.reduce($0) { $0 + (number($1) ?? 0) } }
        }
        let usage = Usage(
            promptTokens: sum { numbers in numbers.input.map { $0 + (numbers.read ?? 0) + (numbers.write ?? 0) } },
            completionTokens: sum(\.output), cachedTokens: sum(\.read), reasoningTokens: sum(\.thinking),
            cacheWriteTokens: sum(\.write), longCacheWriteTokens: sum(\.longWrite))
        return usage == Usage() ? nil : usage
    }
}
