import ProviderKit

extension Usage {
    /// Corrects the parts by a total, in a format whose parts count everything: reasoning and cached tokens are in them
    /// already, so that none are to be added.
    ///
    /// - Parameters:
    ///   - total: nil if the provider reports none.
    ///   - parts: what the total leaves out in some versions of the format.
    mutating func reconcile(total: Int?, orWithout parts: Int?...) {
        guard let total else { return }
        let sum = (promptTokens ?? 0) + (completionTokens ?? 0)
        let totals = parts.reduce([sum]) { totals, part in totals + totals.map { $0 - (part ?? 0) } }
        guard !totals.contains(total) else { return }
        let (cached, reasoning) = (cachedTokens, reasoningTokens)
        (cachedTokens, reasoningTokens) = (nil, nil)
        reconcile(total: total)
        (cachedTokens, reasoningTokens) = (cached, reasoning)
    }
}
