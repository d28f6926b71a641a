package import ProviderKit
package import RoutingPolicy

extension Price {
    /// The cost of a response in US dollars; nil if nothing that has a price is known of it.
    ///
    /// As OpenAI counts them, tokens that were read from a cache or written to it, and audio, are a part of the
    /// prompt's tokens, and reasoning and audio a part of the completion's. Each kind has its own price if the policy
    /// sets one.
    package func cost(of usage: Usage) -> Double? {
        let isKnown =
            usage.promptTokens != nil || usage.completionTokens != nil || perRequest != nil || perImage != nil && usage.images != nil
            || perMinute != nil && usage.audioSeconds != nil
        guard isKnown else { return nil }
        let prompt = Double(usage.promptTokens ?? 0), completion = Double(usage.completionTokens ?? 0)
        let cached = min(Double(usage.cachedTokens ?? 0), prompt), written = min(Double(usage.cacheWriteTokens ?? 0), prompt - cached)
        let long = min(Double(usage.longCacheWriteTokens ?? 0), written)
        let audio = min(Double(usage.audioTokens ?? 0), prompt - cached - written)
        let reasoning = min(Double(usage.reasoningTokens ?? 0), completion)
        let spoken = min(Double(usage.audioOutputTokens ?? 0), completion - reasoning)
        let cacheWrite = self.cacheWrite ?? input
        var dollars = (prompt - cached - written - audio) * input + cached * (cachedInput ?? input) + audio * (audioInput ?? input)
        dollars += (written - long) * cacheWrite + long * (longCacheWrite ?? cacheWrite)
        dollars += (completion - reasoning - spoken) * output + reasoning * (self.reasoning ?? output) + spoken * (audioOutput ?? output)
        let flat = (perRequest ?? 0) + Double(usage.images ?? 0) * (perImage ?? 0) + (usage.audioSeconds ?? 0) / 60 * (perMinute ?? 0)
        return dollars / 1_000_000 + flat
    }
}

extension Usage {
    var isPlausible: Bool {
        func isCount(_ number: Int?) -> Bool { 0...1_000_000_000 ~= number ?? 0 }
        // Neither NaN nor infinity.
        func isAmount(_ number: Double?) -> Bool { 0...10_000_000 ~= number ?? 0 }
        // Without a list, which each response would allocate.
        return isCount(promptTokens) && isCount(completionTokens) && isCount(cachedTokens) && isCount(cacheWriteTokens)
            && isCount(longCacheWriteTokens) && isCount(reasoningTokens) && isCount(audioTokens) && isCount(audioOutputTokens)
            && isCount(images) && isAmount(audioSeconds) && isAmount(costUSD)
    }

    var totalTokens: Int { (promptTokens ?? 0) &+ (completionTokens ?? 0) }
}

extension ProviderKit.Operation {
    /// Whether the response is images, as many as the request's `n` says.
    var makesImages: Bool { self == .imageGeneration || self == .imageEdit }

    /// Whether the request is a recording, whose length only the response says.
    var readsRecordings: Bool { self == .transcription || self == .translation }
}
