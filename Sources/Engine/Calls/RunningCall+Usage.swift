package import ProviderKit
package import RoutingPolicy

extension Price {
    /// The cost of a response in US dollars; nil if neither the prompt's nor the completion's tokens are known.
    ///
    /// As OpenAI counts them, tokens that were read from a cache or written to it are a part of the prompt's tokens,
    /// and reasoning tokens a part of the completion's. Each kind has its own price if the policy sets one.
    package func cost(of usage: Usage) -> Double? {
        guard usage.promptTokens != nil || usage.completionTokens != nil else { return nil }
        let prompt = Double(usage.promptTokens ?? 0), completion = Double(usage.completionTokens ?? 0)
        let cached = min(Double(usage.cachedTokens ?? 0), prompt), reasoning = min(Double(usage.reasoningTokens ?? 0), completion)
        let written = min(Double(usage.cacheWriteTokens ?? 0), prompt - cached)
        let long = min(Double(usage.longCacheWriteTokens ?? 0), written)
        let cacheWrite = self.cacheWrite ?? input
        var dollars = (prompt - cached - written) * input + cached * (cachedInput ?? input)
        dollars += (written - long) * cacheWrite + long * (longCacheWrite ?? cacheWrite)
        dollars += (completion - reasoning) * output + reasoning * (self.reasoning ?? output)
        return dollars / 1_000_000
    }
}

extension Usage {
    var isPlausible: Bool {
        [promptTokens, completionTokens, cachedTokens, cacheWriteTokens, longCacheWriteTokens, reasoningTokens].allSatisfy {
            (0...1_000_000_000).contains($0 ?? 0)
        }
    }

    var totalTokens: Int { (promptTokens ?? 0) &+ (completionTokens ?? 0) }
}

extension RunningCall {
    /// Records the usage and the cost of the response. The tokens are those that the provider reported. They are
    /// estimated if the report is incomplete or inconsistent, or several models made the response.
    ///
    /// - Parameter failure: the failure that ended the call; nil if the response is complete.
    func recordUsage(_ attempt: Attempt, after failure: CallFailure?) {
        let model = attempt.candidate.model
        if partial == nil, let usage = attempt.usage, usage.completionTokens != nil, usage.promptTokens != nil {
            record.usage = UsageReport(usage: usage, source: usage.isInconsistent ? .estimated : .reported, model: model)
        } else {
            let completion = attempt.usage?.completionTokens ?? TokenEstimate.tokens(ofBytes: attempt.contentBytes)
            let prompt = partial == nil ? attempt.usage?.promptTokens : nil
            var usage = Usage(promptTokens: prompt ?? needs.promptTokens, completionTokens: (partial?.tokens ?? 0) &+ completion)
            usage.audioSeconds = attempt.usage?.audioSeconds
            record.usage = UsageReport(usage: usage, source: failure?.cause == .clientLeft ? .delivered : .estimated, model: model)
            if let partial {
                // A continuing model that sent no content costs nothing.
                let lastCost = attempt.contentBytes == 0 ? 0 : cost(of: attempt, completionTokens: completion)
                record.cost = partial.cost.flatMap { sum in lastCost.map { sum + $0 } }
                return
            }
        }
        record.cost = record.usage.usage.costUSD ?? snapshot.policy.models[model].price?.cost(of: record.usage.usage)
    }

    /// US dollars at the price of the attempt's model; nil if that is unknown.
    func cost(of attempt: Attempt, completionTokens: Int) -> Double? {
        snapshot.policy.models[attempt.candidate.model].price?.cost(
            of: Usage(promptTokens: needs.promptTokens, completionTokens: completionTokens))
    }
}
