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

    @Test("the cost of unknown tokens is unknown, and a part never exceeds its whole")
    func bounds() {
        let price = Price(input: 1, output: 2, cachedInput: 0, reasoning: 0)
        #expect(price.cost(of: Usage()) == nil)
        #expect(price.cost(of: Usage(promptTokens: 1_000_000)) == 1)
        #expect(price.cost(of: Usage(promptTokens: 10, completionTokens: 10, cachedTokens: 99, reasoningTokens: 99)) == 0)
    }
}
