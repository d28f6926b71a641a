import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

@Suite("the cost of a response")
struct PriceTests {
    private let usage = Usage(promptTokens: 1000, completionTokens: 500, cachedTokens: 400, reasoningTokens: 100)

    @Test("cached and reasoning tokens may have their own prices, and a price of zero is a cost of zero")
    func prices() {
        #expect(Price(input: 1, output: 2, cachedInput: 0.1, reasoning: 4).cost(of: usage) == 0.00184)
        #expect(Price(input: 1, output: 2).cost(of: usage) == 0.002)
        #expect(Price(input: 0, output: 0).cost(of: usage) == 0)
    }

    @Test("tokens that were written to a cache may have their own prices, by how long it keeps them")
    func cacheWrites() {
        let usage = Usage(promptTokens: 1000, completionTokens: 0, cachedTokens: 400, cacheWriteTokens: 500, longCacheWriteTokens: 200)
        var price = Price(input: 1, output: 2, cachedInput: 0.1)
        #expect(price.cost(of: usage) == 0.00064)
        price.cacheWrite = 2
        #expect(price.cost(of: usage) == 0.00114)
        price.longCacheWrite = 3
        #expect(price.cost(of: usage) == 0.00134)
        #expect(price.cost(of: Usage(promptTokens: 10, completionTokens: 0, cacheWriteTokens: 99, longCacheWriteTokens: 999)) == 0.00003)
    }

    @Test("audio, images, minutes and requests may have their own prices")
    func otherKinds() {
        var price = Price(input: 1, output: 2)
        var usage = Usage(promptTokens: 1000, completionTokens: 500, reasoningTokens: 100)
        (usage.audioTokens, usage.audioOutputTokens) = (600, 200)
        #expect(price.cost(of: usage) == 0.002)
        (price.audioInput, price.audioOutput) = (10, 20)
        #expect(price.cost(of: usage) == 0.011)
        price.perRequest = 0.5
        #expect(price.cost(of: usage) == 0.511)
        var minutes = Usage(), images = Usage()
        (minutes.audioSeconds, images.images) = (90, 3)
        var flat = Price(input: 0, output: 0)
        #expect(flat.cost(of: minutes) == nil && flat.cost(of: images) == nil)
        (flat.perMinute, flat.perImage) = (0.006, 0.04)
        #expect(abs((flat.cost(of: minutes) ?? 0) - 0.009) < 1e-12 && abs((flat.cost(of: images) ?? 0) - 0.12) < 1e-12)
        flat.perRequest = 1
        #expect(flat.cost(of: Usage()) == 1)
    }

    @Test("the cheapest model is the one that the request pays least for")
    func cheapest() {
        func order(_ request: PlanRequest, _ prices: [Price?], cached: Int? = nil) -> [Int] {
            let cost = ExpectedCost(request.operation, request.needs, choices: request.choices)
            let dollars = prices.enumerated().map { cost.dollars(ExpectedCost.Rates($1), isCached: $0 == cached) }
            return prices.indices.sorted { (dollars[$0], $0) < (dollars[$1], $1) }
        }
        var flat = Price(input: 0, output: 0), images = Price(input: 0, output: 0), cached = Price(input: 3, output: 1)
        (flat.perRequest, images.perImage, cached.cachedInput) = (0.01, 0.04, 0.1)
        let prompt = Price(input: 0.1, output: 20), response = Price(input: 5, output: 1)
        func chat(_ tokens: Int, max: Int? = nil, choices: Int = 1) -> PlanRequest {
            PlanRequest(needs: RequestNeeds(promptTokens: tokens, maxTokens: max), choices: choices)
        }
        #expect(order(chat(10), [prompt, response, flat, nil]) == [1, 2, 0, 3])
        #expect(order(chat(100_000), [prompt, response, flat, nil]) == [2, 0, 1, 3])
        #expect(order(chat(10_000, max: 1), [prompt, response]) == [0, 1])
        #expect(order(chat(10_000), [response, cached], cached: 1) == [1, 0])
        #expect(order(PlanRequest(operation: .imageGeneration), [images, flat]) == [1, 0])
        flat.perRequest = 0.05
        #expect(order(PlanRequest(operation: .imageGeneration), [images, flat]) == [0, 1])
        #expect(order(PlanRequest(operation: .imageEdit, choices: 2), [images, flat]) == [1, 0])
        #expect(order(chat(10), [prompt, flat]) == [0, 1] && order(chat(10, choices: 6), [prompt, flat]) == [1, 0])
        #expect(order(PlanRequest(operation: .embeddings, needs: RequestNeeds(promptTokens: 10), choices: 99), [prompt, flat]) == [0, 1])
        #expect(order(PlanRequest(operation: .embeddings, needs: RequestNeeds(promptTokens: 10)), [prompt, response]) == [0, 1])
    }

    @Test("what a request may cost is what it allows: each choice as long as its max_tokens, or as the model can, or as usual")
    func mostExpensive() {
        let rates = ExpectedCost.Rates(Price(input: 1_000_000, output: 1_000_000))
        func tokens(_ max: Int?, _ operation: ProviderKit.Operation = .chat, choices: Int = 1, maxOutput: Int? = nil) -> Int {
            let cost = ExpectedCost(
                atMost: operation, RequestNeeds(promptTokens: 7, maxTokens: max), choices: choices, maxOutput: maxOutput)
            #expect(cost.dollars(rates, isCached: false) == Double(cost.tokens) || cost.tokens == 1 << 53)
            return cost.tokens - 7
        }
        #expect(tokens(8000) == 8000 && tokens(8000, choices: 4) == 32_000 && tokens(20) == 20)
        #expect(tokens(nil) == 500 && tokens(nil, choices: 3) == 1500)
        #expect(tokens(8000, maxOutput: 4096) == 4096 && tokens(nil, choices: 2, maxOutput: 100) == 200)
        #expect(tokens(8000, .embeddings) == 0 && tokens(.max, choices: .max) == (1 << 53) - 7)
    }

    @Test("the cost of unknown tokens is unknown, and a part never exceeds its whole")
    func bounds() {
        let price = Price(input: 1, output: 2, cachedInput: 0, reasoning: 0)
        #expect(price.cost(of: Usage()) == nil)
        #expect(price.cost(of: Usage(promptTokens: 1_000_000)) == 1)
        #expect(price.cost(of: Usage(promptTokens: 10, completionTokens: 10, cachedTokens: 99, reasoningTokens: 99)) == 0)
    }

    @Test("a usage that can't be true counts as none")
    func implausible() {
        var usage = Usage(promptTokens: 1, completionTokens: 1, costUSD: 0.5)
        usage.audioSeconds = 60
        #expect(usage.isPlausible)
        for amount in [Double.nan, .infinity, -.infinity, -1, 1e300] {
            var (priced, spoken) = (usage, usage)
            priced.costUSD = amount
            spoken.audioSeconds = amount
            #expect(!priced.isPlausible && !spoken.isPlausible, "\(amount)")
        }
        for count in [-1, Int.min, .max] {
            #expect(!Usage(promptTokens: count).isPlausible && !Usage(completionTokens: count).isPlausible, "\(count)")
        }
    }
}
