import Testing

@testable import Gateway

struct ModelPriceTests {
    @Test(
        "a price per token is exact and has no exponent",
        arguments: [
            (0, "0"), (0.15, "0.00000015"), (2.19, "0.00000219"), (2.5, "0.0000025"), (0.000001, "0.000000000001"), (10, "0.00001"),
            (999_999.5, "0.9999995"), (1_000_000, "1.0"),
        ])
    func perToken(_ price: Double, _ text: String) { #expect(OpenAIModelList.perToken(price) == text) }
}
