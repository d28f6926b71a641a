package import ProviderKit
package import RoutingPolicy

extension Price {
    /// US dollars. Cached tokens are part of the prompt's, reasoning tokens of the completion's, as OpenAI counts them; each at its own price where the policy
    /// gives one. nil where neither number of tokens is known.
    package func cost(of usage: Usage) -> Double? {
        guard usage.promptTokens != nil || usage.completionTokens != nil else { return nil }
        let prompt = Double(usage.promptTokens ?? 0), completion = Double(usage.completionTokens ?? 0)
        let cached = min(Double(usage.cachedTokens ?? 0), prompt), reasoning = min(Double(usage.reasoningTokens ?? 0), completion)
        let dollars =
            (prompt - cached) * input + cached * (cachedInput ?? input) + (completion - reasoning) * output + reasoning
            * (self.reasoning ?? output)
        return dollars / 1_000_000
    }
}

extension Usage {
    var isPlausible: Bool {
        [promptTokens, completionTokens, cachedTokens, reasoningTokens].allSatisfy { (0...1_000_000_000).contains($0 ?? 0) }
    }

    var totalTokens: Int { (promptTokens ?? 0) &+ (completionTokens ?? 0) }
}

extension RunningCall {
    /// What the provider reported counts; without one of its halves, and where two models made the response, what passed is counted.
    func countUsage(_ attempt: Attempt) {
        let counters = loop.counters(ofModel: attempt.step.model, in: snapshot)
        if partial == nil, let usage = attempt.usage, usage.completionTokens != nil, usage.promptTokens != nil {
            record.usage = UsageReport(usage: usage, source: .reported)
            counters.reported.add(usage)
        } else {
            let own = attempt.usage?.completionTokens ?? TokenEstimate.tokens(ofBytes: attempt.contentBytes)
            let prompt = partial == nil ? attempt.usage?.promptTokens : nil
            let usage = Usage(promptTokens: prompt ?? request.needs.promptTokens, completionTokens: (partial?.tokens ?? 0) &+ own)
            record.usage = UsageReport(usage: usage, source: ending?.cause == .clientLeft ? .delivered : .estimated)
            counters.estimated.add(usage)
            if let partial {
                // A model that was to go on and gave nothing costs nothing.
                let last = attempt.contentBytes == 0 ? 0 : cost(of: attempt, completionTokens: own)
                record.cost = partial.cost.flatMap { sum in last.map { sum + $0 } }
                if let cost = record.cost { counters.cost += cost }
                return
            }
        }
        record.cost = snapshot.policy.models[attempt.step.model].price?.cost(of: record.usage.usage) ?? record.usage.usage.costUSD
        if let cost = record.cost { counters.cost += cost }
    }

    /// At its model's price; nil where that is unknown.
    func cost(of attempt: Attempt, completionTokens: Int) -> Double? {
        snapshot.policy.models[attempt.step.model].price?.cost(
            of: Usage(promptTokens: request.needs.promptTokens, completionTokens: completionTokens))
    }
}
