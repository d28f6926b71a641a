import Testing

/// How LiteLLM's `simple-shuffle` draws among the deployments of one name.
struct ImportWeightsTests {
    @Test(arguments: [
        (["tpm: 1000", "tpm: 9000"], [1, 9]), (["rpm: 60", "rpm: 600", "rpm: 60000"], [1, 10, 1000]),
        (["rpm: 100, tpm: 5", "rpm: 900, tpm: 5"], [1, 9]), (["weight: 2, rpm: 1", "weight: 8, rpm: 9"], [2, 8]),
        (["weight: 0.7", "weight: 0.3"], [0.7, 0.3]), (["weight: 5000", "weight: 2500"], [1000, 500]),
        (["rpm: 3", "rpm: 50000"], [0.06, 1000]),
        // The first one says by what LiteLLM draws. One that doesn't have it isn't drawn.
        (["rpm: 5", "tpm: 9"], [1, 0]), (["temperature: 1", "rpm: 9"], [1, 1]), (["rpm: 0", "rpm: 0"], [1, 1]),
        (["temperature: 1", "temperature: 1"], [1, 1]),
    ])
    func `a weight, the requests or the tokens are the shares`(parameters: [String], weights: [Double]) throws {
        let models = parameters.enumerated().map { ("a", "model: openai/m\($0.offset), \($0.element)") }
        let report = load(try imported(ImportRulesTests.liteLLM(models)))
        let policy = try #require(report.policy, "\(report.rendered())")
        #expect(policy.models.map(\.weight) == weights)
    }

    @Test func `each order is drawn by itself`() throws {
        let text = try imported(
            ImportRulesTests.liteLLM([
                ("a", "model: openai/m, order: 1, rpm: 10"), ("a", "model: openai/n, order: 1, rpm: 20"),
                ("a", "model: openai/o, order: 2, rpm: 10"),
            ]))
        #expect(text.ranges(of: "weight:").count == 1 && text.contains("weight: 2"), "\(text)")
    }
}
