import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

@Suite("the operation of a request")
struct OperationTests {
    private static let yaml = """
        listen: 127.0.0.1:0
        providers:
          p: { plugin: silent }
          q: { plugin: silent }
          off: { plugin: silent, api_key: "${NOT_SET}" }
        models:
          talk: { provider: p, tags: [t] }
          p/words: { provider: p, tags: [t], serves: [embeddings] }
          q/words: { provider: q, tags: [t], serves: [embeddings] }
          both: { provider: q, tags: [t, b], serves: [chat, embeddings] }
          off/dark: { provider: off, serves: [embeddings] }
        routes:
          listed: { try: [talk, both, words], fallback: [talk, words] }
          selected: { try: { select: { tags: t }, order: weighted }, fallback_on: { context_overflow: [both, words] } }
          chatOnly: { try: [talk] }
          nested: { try: [chatOnly, words] }
        """

    private func plan(
        _ operation: ProviderKit.Operation, _ names: String..., state: FixedState = FixedState(), yaml: String = yaml,
        change: (inout RoutingOverrides) -> Void = { _ in }
    ) throws -> Plan {
        let snapshot = try snapshot(yaml)
        var request = PlanRequest(operation: operation, models: names)
        var fields = RoutingOverrides()
        change(&fields)
        if fields != RoutingOverrides() { request.fields = fields }
        return try Planner.plan(request, in: snapshot.including(unlistedOf: request), state: state)
    }

    private func keys(_ models: [Int]) throws -> [String] {
        let policy = try policy(Self.yaml)
        return models.map { policy.models[$0].key }
    }

    @Test("selectors, lists, nested routes, fallbacks and auto keep the models that serve it")
    func served() throws {
        let listed = try plan(.chat, "listed"), selected = try plan(.chat, "selected")
        #expect(try keys(listed.tries) == ["talk", "both"] && keys(listed.fallback) == ["talk"])
        #expect(try Set(keys(selected.tries)) == ["talk", "both"] && keys(selected.fallbackOn[.contextOverflow] ?? []) == ["both"])
        #expect(try keys(plan(.embeddings, "nested").tries) == ["p/words", "q/words"])
        #expect(try keys(plan(.embeddings, "auto").tries) == ["p/words", "q/words"])
        #expect(try keys(plan(.chat).tries) == ["talk", "both"])
    }

    @Test("a model that the client names must serve it, and a list skips those that don't")
    func named() throws {
        let words = try policy(Self.yaml).models.indices.filter { $0 == 1 || $0 == 2 }
        #expect(
            throws: PlanRefusal.unfit("words", words.map { OmittedModel(model: $0, rule: .operation(.chat, serves: [.embeddings])) })
        ) { try plan(.chat, "words") }
        #expect(throws: PlanRefusal.unfit("talk", [OmittedModel(model: 0, rule: .operation(.rerank, serves: [.chat]))])) {
            try plan(.rerank, "talk", "both")
        }
        let list = try plan(.chat, "words", "talk")
        #expect(try keys(list.tries) == ["talk"] && list.skippedNames == ["words"])
    }

    @Test("a route without a model for it is refused with what each of its models serves")
    func unfit() throws {
        #expect(throws: PlanRefusal.unfit("chatOnly", [OmittedModel(model: 0, rule: .operation(.rerank, serves: [.chat]))])) {
            try plan(.rerank, "chatOnly")
        }
        #expect("\(Omission.operation(.rerank, serves: [.chat, .embeddings]))" == "serves chat and embeddings, not rerank")
    }

    @Test("the request's fallback doesn't serve other operations, unless the policy doesn't list it")
    func requestedFallback() throws {
        let known = try plan(.chat, "talk") { $0.fallbackModel = "words" }
        #expect(try keys(known.tries) == ["talk"] && known.fallback.isEmpty)
        let unlisted = try plan(.chat, "talk") { ($0.fallbackProvider, $0.fallbackModel) = ("q", "new") }
        #expect(unlisted.fallback == [5])
    }

    // MARK: Embeddings

    @Test("the vectors of a route come from one model, the first that it lists, at any of its providers")
    func vectors() throws {
        #expect(try keys(plan(.embeddings, "listed").tries) == ["both"])
        #expect(try plan(.embeddings, "listed").fallback.isEmpty)
        for turn in 0..<20 {
            var state = FixedState(turn: turn)
            state.random = SplitMix64(seed: UInt64(turn))
            let plan = try plan(.embeddings, "selected", state: state)
            #expect(try Set(keys(plan.tries)) == ["p/words", "q/words"])
            #expect(Set(plan.fallbackOn[.contextOverflow] ?? []) == [1, 2])
        }
    }

    @Test("the model of the vectors doesn't depend on breakers, statistics and the length of the text")
    func stateless() throws {
        let down = ModelReading.with(.open(until: after(.seconds(9))), rate: 0), state = FixedState(readings: [1: down, 2: down])
        #expect(try Set(keys(plan(.embeddings, "selected", state: state).tries)) == ["p/words", "q/words"])
        #expect(try keys(plan(.embeddings, "listed", state: FixedState(readings: [3: down])).tries) == ["both"])
        let snapshot = try snapshot(Self.yaml.replacing("both: { ", with: "both: { context: 10, "))
        let long = PlanRequest(operation: .embeddings, models: ["listed"], needs: RequestNeeds(promptTokens: 11))
        #expect(
            throws: PlanRefusal.unfit(
                "listed",
                [
                    OmittedModel(model: 0, rule: .operation(.embeddings, serves: [.chat])),
                    OmittedModel(model: 3, rule: .context(needed: 11, available: 10)),
                    OmittedModel(model: 1, rule: .otherVectors(than: "both")), OmittedModel(model: 2, rule: .otherVectors(than: "both")),
                ])
        ) { try Planner.plan(long, in: snapshot, state: FixedState()) }
        let several = PlanRequest(operation: .embeddings, models: ["listed"], needs: RequestNeeds(promptTokens: 11, contextTokens: 6))
        #expect(try keys(Planner.plan(several, in: snapshot, state: FixedState()).tries) == ["both"])
    }

    @Test("no fallback has other vectors than the model that the client names, even one whose provider is off")
    func fallbacks() throws {
        let yaml = Self.yaml + "\ndefaults: { fallback: [both, words] }\n"
        #expect(try keys(plan(.embeddings, "both", yaml: yaml).fallback) == ["both"])
        #expect(try keys(plan(.embeddings, "p/words", yaml: yaml).fallback) == ["p/words", "q/words"])
        #expect(throws: PlanRefusal.off(["NOT_SET"])) { try plan(.embeddings, "dark", yaml: yaml) }
        let requested = try plan(.embeddings, "both", yaml: yaml) { $0.fallbackModel = "words" }
        #expect(try keys(requested.tries + requested.fallback) == ["both"])
        let unlisted = try plan(.embeddings, "both") { ($0.fallbackProvider, $0.fallbackModel) = ("p", "both") }
        #expect(try keys(unlisted.tries) == ["both"] && unlisted.fallback == [5])
    }

    @Test("a list of names gets the vectors of the first that can be used")
    func listOfNames() throws {
        let plan = try plan(.embeddings, "unknown", "both", "words", "listed")
        #expect(try keys(plan.tries) == ["both"] && plan.skippedNames == ["unknown", "words"])
    }

    @Test("an explanation says which models serve something else, and whose vectors don't mix")
    func explained() throws {
        let snapshot = try snapshot(Self.yaml)
        func explanation(_ operation: ProviderKit.Operation, _ name: String) -> Explanation {
            .of(
                PlanRequest(operation: operation, models: [name]), key: .noneDefined, in: snapshot, state: .fresh(seed: 1),
                refusal: { RequestRefusal(status: 400, code: nil, message: "\($0)") })
        }
        let embeddings = explanation(.embeddings, "listed")
        #expect(
            Dictionary(uniqueKeysWithValues: embeddings.leftOut.map { ($0.model.label, $0.rule) }) == [
                "p/talk": "serves chat, not embeddings", "p/words": "its vectors don't mix with those of 'both'",
                "q/words": "its vectors don't mix with those of 'both'",
            ])
        #expect(ExplanationTable(embeddings, policyName: "p").text.contains("  embeddings, listed: about 0 prompt tokens\n"))
        #expect(String(decoding: embeddings.json, as: UTF8.self).hasPrefix(#"{"request":{"operation":"embeddings","models":["listed"],"#))
        #expect(explanation(.chat, "words").leftOut.map(\.rule) == Array(repeating: "serves embeddings, not chat", count: 2))
    }
}
