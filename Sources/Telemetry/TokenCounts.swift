import ProviderKit

/// Tokens by kind. The kinds don't overlap: each token is in one.
package struct TokenCounts: Sendable {
    /// Of prompts, neither read from a cache nor written to one.
    private(set) var uncached = 0
    /// Read from a cache.
    private(set) var cached = 0
    private(set) var cacheWrite = 0
    /// Of responses, without those of reasoning.
    private(set) var text = 0
    private(set) var reasoning = 0

    var input: Int { uncached &+ cached &+ cacheWrite }
    var output: Int { text &+ reasoning }

    init() {}

    init(_ usage: Usage) { add(usage) }

    mutating func add(_ usage: Usage) {
        let prompt = usage.promptTokens ?? 0, completion = usage.completionTokens ?? 0
        // A provider's numbers may contradict each other; no kind is negative.
        let read = min(max(usage.cachedTokens ?? 0, 0), prompt), written = min(max(usage.cacheWriteTokens ?? 0, 0), prompt &- read)
        let thought = min(max(usage.reasoningTokens ?? 0, 0), completion)
        uncached &+= prompt &- read &- written
        cached &+= read
        cacheWrite &+= written
        text &+= completion &- thought
        reasoning &+= thought
    }

    mutating func add(_ other: TokenCounts) {
        uncached &+= other.uncached
        cached &+= other.cached
        cacheWrite &+= other.cacheWrite
        text &+= other.text
        reasoning &+= other.reasoning
    }

    /// The numbers with the values of the labels `direction` and `kind`.
    var labelled: [(direction: String, kind: String, count: Int)] {
        [
            ("input", "uncached", uncached), ("input", "cached", cached), ("input", "cache_write", cacheWrite), ("output", "text", text),
            ("output", "reasoning", reasoning),
        ]
    }
}
