import Codecs
import ProviderKit

extension Usage {
    /// Reads a value of `usage`; nil if it has none of the known numbers. The prompt's tokens here include those of the
    /// cache, which this format counts apart, as Anthropic's does. Source: `TokenUsage`.
    init?(bedrock usage: JSONTree) {
        func count(_ value: JSONTree?) -> Int? { value?.integer.flatMap { (0...1_000_000_000_000).contains($0) ? $0 : nil } }
        let read = count(usage["cacheReadInputTokens"]), written = count(usage["cacheWriteInputTokens"])
        let long = usage["cacheDetails"]?.elements?.first { $0["ttl"]?.string == "1h" }.flatMap { count($0["inputTokens"]) }
        self.init(
            promptTokens: count(usage["inputTokens"]).map { $0 + (read ?? 0) + (written ?? 0) },
            completionTokens: count(usage["outputTokens"]), cachedTokens: read, cacheWriteTokens: written, longCacheWriteTokens: long)
        reconcile(total: count(usage["totalTokens"]), orWithout: read, written)
        if self == Usage() { return nil }
    }
}
