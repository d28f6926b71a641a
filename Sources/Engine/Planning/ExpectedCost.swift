import ProviderKit
import RoutingPolicy

/// What a request is expected to cost at a model, for the order `cheapest`: its prompt's estimated tokens, its images,
/// and its responses, each of `typicalCompletion` tokens or of its `max_tokens`, if that is less. And what it may cost,
/// for the budgets of keys.
struct ExpectedCost {
    /// The tokens of a response whose length is not known yet.
    static let typicalCompletion = 500

    /// The prices of a model per token, request and image.
    struct Rates {
        var input: Double
        /// Of a prompt that the provider has in its cache.
        var cachedInput: Double
        var output: Double
        /// Infinite for a model without a price.
        var perRequest: Double
        var perImage: Double
        var perMinute: Double

        init(_ price: Price?) {
            input = (price?.input ?? 0) / 1_000_000
            cachedInput = (price?.cachedInput ?? price?.input ?? 0) / 1_000_000
            output = (price?.output ?? 0) / 1_000_000
            perRequest = price.map { $0.perRequest ?? 0 } ?? .infinity
            perImage = price?.perImage ?? 0
            perMinute = price?.perMinute ?? 0
        }
    }

    private let prompt: Double
    private let completion: Double
    private let images: Double
    /// The length of a recording is not known, so each counts as one.
    private let minutes: Double

    /// - Parameter choices: how many responses, or images, the request asks for.
    init(_ operation: ProviderKit.Operation, _ needs: RequestNeeds, choices: Int) {
        self.init(operation, needs, completion: min(needs.maxTokens ?? .max, Self.typicalCompletion), choices: choices)
    }

    /// What a request may cost at most, as far as it says: each of its choices may be as long as the request or the
    /// model allows. A choice of a request that says nothing is as long as usual.
    ///
    /// - Parameters:
    ///   - choices: how many responses, or images, the request asks for.
    ///   - maxOutput: the longest response of the model; nil: unknown.
    init(atMost operation: ProviderKit.Operation, _ needs: RequestNeeds, choices: Int, maxOutput: Int?) {
        let asked = needs.maxTokens ?? Self.typicalCompletion
        self.init(operation, needs, completion: min(asked, maxOutput ?? asked), choices: choices)
    }

    private init(_ operation: ProviderKit.Operation, _ needs: RequestNeeds, completion: Int, choices: Int) {
        prompt = Double(needs.promptTokens)
        self.completion = operation == .chat || operation == .completion ? Double(completion) * Double(choices) : 0
        images = operation.makesImages ? Double(choices) : 0
        minutes = operation.readsRecordings ? 1 : 0
    }

    /// Of the prompt and the response.
    var tokens: Int { Int(min(prompt + completion, Double(1 << 53))) }

    /// US dollars; infinite if the model has no price.
    ///
    /// - Parameter isCached: whether the provider has the conversation in its cache.
    @inline(__always)
    func dollars(_ rates: Rates, isCached: Bool) -> Double {
        prompt * (isCached ? rates.cachedInput : rates.input) + completion * rates.output + rates.perRequest + images * rates.perImage
            + minutes * rates.perMinute
    }
}
