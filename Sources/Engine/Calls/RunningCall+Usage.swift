import Codecs
import ProviderKit
import RoutingPolicy

extension RunningCall {
    /// Records the usage and the cost of the response. The tokens are those that the provider reported. They are
    /// estimated if the report is incomplete or inconsistent, or several models made the response.
    ///
    /// - Parameter failure: the failure that ended the call; nil if the response is complete.
    func recordUsage(_ attempt: Attempt, after failure: CallFailure?) {
        let model = billedModel(of: attempt)
        if partial == nil, let usage = attempt.usage, usage.completionTokens != nil, usage.promptTokens != nil {
            record.usage = UsageReport(usage: usage, source: usage.isInconsistent ? .estimated : .reported, model: model)
        } else {
            let completion = attempt.usage?.completionTokens ?? TokenEstimate.tokens(ofBytes: attempt.contentBytes)
            let prompt = partial == nil ? attempt.usage?.promptTokens : nil
            var usage = Usage(promptTokens: prompt ?? needs.promptTokens, completionTokens: (partial?.tokens ?? 0) &+ completion)
            (usage.audioSeconds, usage.images) = (attempt.usage?.audioSeconds, attempt.usage?.images)
            record.usage = UsageReport(usage: usage, source: failure?.cause == .clientLeft ? .delivered : .estimated, model: model)
            if let partial {
                // A continuing model that sent no content costs nothing.
                let lastCost = attempt.contentBytes == 0 ? 0 : cost(of: attempt, completionTokens: completion)
                record.cost = partial.cost.flatMap { sum in lastCost.map { sum + $0 } }
                return
            }
        }
        if request.operation.makesImages, record.usage.usage.images == nil { record.usage.usage.images = request.choices }
        record.cost = record.usage.usage.costUSD ?? cost(of: record.usage.usage, at: model)
    }

    /// US dollars at the price of a model; nil if that is unknown, or the length of a recording is, which has a price.
    private func cost(of usage: Usage, at model: Int) -> Double? {
        guard let price = snapshot.models[model].price else { return nil }
        if request.operation.readsRecordings, price.perMinute != nil, usage.audioSeconds == nil { return nil }
        return price.cost(of: usage)
    }

    /// The model whose price counts, an index into the policy's models: the attempt's, or the one to which its provider
    /// fell back, if the policy has that one.
    private func billedModel(of attempt: Attempt) -> Int {
        let called = attempt.candidate.model
        guard case .model(let name)? = attempt.servedBy else { return called }
        record.servingModel = snapshot.mask(name)
        let provider = snapshot.models[called].provider
        return snapshot.models.indices.first { snapshot.models[$0].provider == provider && snapshot.models[$0].upstream == name } ?? called
    }

    /// US dollars at the price of the attempt's model; nil if that is unknown.
    func cost(of attempt: Attempt, completionTokens: Int) -> Double? {
        snapshot.models[attempt.candidate.model].price?.cost(
            of: Usage(promptTokens: needs.promptTokens, completionTokens: completionTokens))
    }

    /// Adds what an attempt has cost whose response the client doesn't get: a provider counts the prompt of a request
    /// that is cancelled, and what it has generated until then. A refused request costs nothing.
    func recordLoss(of attempt: Attempt, after error: ProviderError) {
        let wasRunning = error.failure == .cancelled || error.failure == .timeout
        guard request.operation.isMeasured, !attempt.isCommitted, wasRunning || attempt.contentBytes > 0 else { return }
        let usage =
            attempt.usage
            ?? Usage(promptTokens: needs.promptTokens, completionTokens: TokenEstimate.tokens(ofBytes: attempt.contentBytes))
        let cost = usage.costUSD ?? snapshot.models[attempt.candidate.model].price?.cost(of: usage)
        record.lost += Spending(dollars: cost ?? 0, tokens: usage.totalTokens)
        record.lostModel = attempt.candidate.model
    }

    /// What the call may cost, at the price of its first model.
    var expectedSpending: Spending {
        let model = (machine.plan.tries.first ?? machine.plan.fallback.first).map { snapshot.models[$0] }
        var needs = needs, choices: Int? = request.choices > 1 ? request.choices : nil
        if let model {
            needs.maxTokens = model.integer(["max_completion_tokens", "max_tokens", "max_output_tokens"], asked: needs.maxTokens)
            choices = model.integer(["n"], asked: choices)
        }
        let cost = ExpectedCost(atMost: request.operation, needs, choices: max(choices ?? 1, 1), maxOutput: model?.maxOutput)
        return Spending(
            dollars: model?.price.map { cost.dollars(ExpectedCost.Rates($0), isCached: false) } ?? 0, tokens: cost.tokens)
    }
}

extension ModelDefinition {
    /// A number in the body of a request, as the model's provider gets it; nil if nobody sets it.
    ///
    /// - Parameters:
    ///   - names: the names that it may have; the first one that is set counts.
    ///   - asked: what the client asks for.
    fileprivate func integer(_ names: [String], asked: Int?) -> Int? {
        func set(in fields: [BodyField]) -> Int? {
            for name in names {
                if let field = fields.first(where: { $0.key == name }) { return JSONTree(field.json.span.bytes)?.integer }
            }
            return nil
        }
        return set(in: requestOverrides) ?? asked ?? set(in: requestDefaults)
    }
}
