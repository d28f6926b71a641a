import HTTPWire
import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

/// `when` of a route: the first condition that holds replaces it.
@Suite("conditions of routes")
struct ConditionTests {
    static let yaml = """
        providers: { p: { plugin: silent } }
        models: { a: { provider: p, serves: [chat, embeddings] }, b: { provider: p }, c: { provider: p } }
        routes:
          auto:
            when:
              - { header: { X-Class: [sub*, aux], x-team: red }, use: rb }
              - { key: [one, two], face: anthropic, use: rc }
              - { operation: embeddings, use: ra }
              - { stream: true, use: chained }
            try: a
            timeouts: { total: 1m }
          ra: { try: a }
          rb: { try: b, timeouts: { total: 2m } }
          rc: { try: c }
          chained: { when: { face: openai, use: rc }, try: a }
          nested: { try: auto }
        keys:
          one: { secret: secret-of-one-0000 }
          two: { secret: secret-of-two-0000, models: [auto] }
          three: { secret: secret-of-three-00, models: [a, b] }
        """

    private func plan(
        _ fields: [(String, String)] = [], face: FaceName = .openai, key: String? = nil, stream: Bool = false,
        operation: ProviderKit.Operation = .chat, model: String = "auto", scope: ModelScope? = nil
    ) throws -> Plan {
        let traits = RequestTraits(fields: HTTPFields(fields.map { (name: $0.0, value: $0.1) }), face: face, key: key, isStream: stream)
        let request = PlanRequest(operation: operation, models: [model], scope: scope, traits: traits)
        return try Planner.plan(request, in: try snapshot(Self.yaml), state: FixedState())
    }

    @Test("every part of a condition must hold")
    func all() throws {
        #expect(try plan([("x-class", "subagent"), ("x-team", "red")]).route == "rb")
        #expect(try plan([("X-Class", "aux"), ("X-Team", "red")]).route == "rb")
        #expect(try plan([("x-class", "subagent")]).route == "auto")
        #expect(try plan([("x-class", "main"), ("x-team", "red")]).route == "auto")
        #expect(try plan(face: .anthropic, key: "one").route == "rc")
        #expect(try plan(face: .anthropic, key: "three").route == "auto")
        #expect(try plan(face: .anthropic).route == "auto")
        #expect(try plan(operation: .embeddings).route == "ra")
    }

    @Test("the first that holds counts, and the route that it leads to may have conditions too")
    func order() throws {
        #expect(try plan([("x-class", "aux"), ("x-team", "red")], face: .anthropic, key: "one", stream: true).route == "rb")
        #expect(try plan(stream: true).route == "rc")
        #expect(try plan(face: .anthropic, stream: true).route == "chained")
    }

    @Test("the settings are those of the route that replaces it")
    func settings() throws {
        #expect(try plan([("x-class", "aux"), ("x-team", "red")]).total == .seconds(120))
        #expect(try plan().total == .seconds(60))
    }

    @Test("a route that is only a step of another has no conditions there")
    func nested() throws {
        #expect(try plan(stream: true, model: "nested").route == "nested")
    }

    @Test("a granted route grants what its conditions lead to; otherwise the models must be in the scope")
    func scopes() throws {
        let policy = try policy(Self.yaml)
        let granted = policy.keys[1].models, limited = policy.keys[2].models
        #expect(try plan(face: .anthropic, key: "two", scope: granted).route == "rc")
        #expect(try plan([("x-class", "aux"), ("x-team", "red")], key: "three", scope: limited).route == "rb")
        #expect(throws: PlanRefusal.forbidden("rc")) { try plan(key: "three", stream: true, scope: limited) }
    }

    @Test("an explanation shows the conditions that hold")
    func explained() throws {
        let traits = RequestTraits(fields: HTTPFields(), face: .openai, key: nil, isStream: true)
        let explanation = Explanation.of(
            PlanRequest(models: ["auto"], traits: traits), key: .notGiven, in: try snapshot(Self.yaml), state: .fresh(seed: 1),
            refusal: ExplanationPolicy.refusal)
        let call = try #require(explanation.plannedCall)
        #expect(
            call.replacements.map { "\($0.route): \($0.condition) -> \($0.use)" } == [
                "auto: stream true -> chained", "chained: face openai -> rc",
            ])
        #expect(ExplanationTable(explanation, policyName: "p.yaml").text.contains("when     auto: stream true -> chained"))
    }
}
