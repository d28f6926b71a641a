import ProviderKit
import Testing

@testable import Telemetry

struct TokenCountsTests {
    @Test(arguments: [
        (Usage(promptTokens: 10, completionTokens: 5), [10, 0, 0, 5, 0]),
        (Usage(promptTokens: 10, completionTokens: 5, cachedTokens: 4, reasoningTokens: 2, cacheWriteTokens: 3), [3, 4, 3, 3, 2]),
        // Numbers that contradict each other.
        (Usage(promptTokens: 10, completionTokens: 5, cachedTokens: 40, reasoningTokens: 20, cacheWriteTokens: 3), [0, 10, 0, 0, 5]),
        (Usage(promptTokens: 10, completionTokens: 5, cachedTokens: -4, reasoningTokens: -2), [10, 0, 0, 5, 0]),
        (Usage(), [0, 0, 0, 0, 0]),
    ])
    func `the kinds of a direction add up to its tokens`(usage: Usage, counts: [Int]) {
        var tokens = TokenCounts()
        tokens.add(usage)
        #expect(tokens.labelled.map(\.count) == counts)
        #expect(tokens.input == usage.promptTokens ?? 0 && tokens.output == usage.completionTokens ?? 0)
    }
}
