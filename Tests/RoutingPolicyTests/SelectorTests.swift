import RoutingPolicy
import Testing

/// Which models a selector's static conditions keep.
struct SelectorTests {
    private static let models = """
        version: 1
        providers:
          a: { plugin: echo }
          b: { plugin: echo }
        models:
          small:
            { provider: a, type: fast, tags: [general], supports: [tools], context: 8192, max_output: 1024,
              price: { input: 0, output: 0 } }
          large:
            { provider: a, type: reasoning, tags: [paid], supports: [image, tools, json], context: 200000, max_output: 64000,
              price: { input: 3, output: 15 } }
          a/twin: { provider: a, tags: [general], context: 32000, hidden: true }
          b/twin: { provider: b, tags: [vision], price: { input: 1, output: 3 }, weight: 0 }

        """

    private func selection(_ step: String) throws -> Selection {
        let report = load(Self.models + "routes:\n  r: { try: { \(step) } }\n")
        guard case .selected(let selection)? = try #require(report.policy, "\(report.rendered())").routes[0].steps.first else {
            throw NoSelector()
        }
        return selection
    }

    private struct NoSelector: Error {}

    @Test(arguments: [
        ("{}", [0, 1, 2, 3]),
        ("{ tags: general }", [0, 2]), ("{ tags: [fast, paid] }", [0, 1]), ("{ tags: \"vision & !paid\" }", [3]),
        ("{ type: fast }", [0]), ("{ type: reasoning }", [1]),
        ("{ provider: b }", [3]), ("{ provider: [a, b] }", [0, 1, 2, 3]),
        ("{ supports: tools }", [0, 1]), ("{ supports: [image, tools] }", [1]), ("{ supports: [image] }", [1, 3]),
        ("{ supports: [streaming] }", [0, 1, 2, 3]),
        ("{ min_context: 8192 }", [0, 1, 2]), ("{ min_context: 8193 }", [1, 2]), ("{ min_output: 1024 }", [0, 1]),
        ("{ min_output: 1025 }", [1]),
        ("{ max_price: 0 }", [0]), ("{ max_price: 3 }", [0, 3]), ("{ max_price: 15 }", [0, 1, 3]), ("{ max_price: { input: 2 } }", [0, 3]),
        ("{ max_price: { output: 2 } }", [0]), ("{ max_price: { input: 3, output: 14 } }", [0, 3]),
        ("{ models: twin }", [2, 3]), ("{ models: b/twin }", [3]), ("{ models: [small, \"*win\"] }", [0, 2, 3]),
        ("{ models: \"a/*\" }", [0, 1, 2]), ("{ models: \"*\" }", [0, 1, 2, 3]),
        ("{ provider: a, tags: general, min_context: 10000 }", [2]),
    ])
    func `a selector selects the models that meet every condition, including hidden models`(select: String, kept: [Int]) throws {
        #expect(try selection("select: \(select)").models == kept)
    }

    @Test
    func `the success rate is not applied at load`() throws {
        let selection = try selection("select: { min_success_rate: 0.9 }")
        #expect(selection.models == [0, 1, 2, 3])
        #expect(selection.selector.minSuccessRate == 0.9)
    }

    @Test(arguments: Order.allCases)
    func `every order is read from its name`(order: Order) throws {
        #expect(try selection("select: {}, order: \(order.rawValue)").order == order)
    }

    @Test
    func `without an order, models are ranked as listed`() throws {
        #expect(try selection("select: {}").order == .listed)
    }

    @Test(arguments: [
        ("{ tags: nothing, type: fast }", "no model meets 'tags'"), ("{ type: fast, min_output: 64001 }", "no model meets 'min_output'"),
        ("{ provider: b, min_context: 8192 }", "no model that meets 'provider' also meets 'min_context'"),
        ("{ tags: general, supports: tools, models: \"*win\" }", "no model that meets 'tags' and 'supports' also meets 'models'"),
    ])
    func `a selector that selects no model is reported with the condition`(select: String, reason: String) {
        let report = load(Self.models + "routes:\n  r: { try: [{ select: \(select) }, small] }\n")
        #expect(report.issues.map(\.message) == ["the selector selects no model: \(reason)"])
    }

    @Test(arguments: [("weighted", 1), ("best", 1), ("top3", 1), ("listed", 0), ("fastest", 0)])
    func `an order by weight gets a warning if no model has a weight`(order: String, warnings: Int) {
        let report = load(Self.models + "routes:\n  r: { try: { select: { provider: b }, order: \(order) } }\n")
        #expect(report.issues.count == warnings)
    }

    @Test
    func `a mistake in a condition is reported once`() {
        let report = load(Self.models + "routes:\n  r: { try: { select: { provider: c, models: [smal] } } }\n")
        #expect(report.issues.map(\.message) == ["there is no provider 'c'", "there is no model 'smal'; did you mean 'small'?"])
    }
}
