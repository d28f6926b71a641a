import Codecs
import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

/// Sticky routes: which request belongs to which conversation, and what the memory of its model outranks.
@Suite("sticky")
struct StickyTests {
    private static let models = """
        providers: { p: { plugin: silent }, q: { plugin: silent } }
        models:
          a: { provider: p, price: { input: 1, output: 0, cached_input: 0.1 } }
          b: { provider: q, price: { input: 2, output: 0, cached_input: 0.2 } }
          c: { provider: q, tags: [rare], context: 10 }
        """

    private static func snapshot(_ route: String) throws -> Snapshot {
        try EngineTests.snapshot("\(models)\nroutes: { r: { \(route) } }")
    }

    /// A planning state whose memory knows one model for every conversation.
    private struct Remembering: PlanningState {
        var last: ModelName?
        var readings: [Int: ModelReading] = [:]

        func reading(ofModel model: Int) -> ModelReading { readings[model] ?? .fresh }
        func rotation(ofSegment segment: Int) -> Int { 0 }
        func chance() -> Double { 0.5 }
        func model(of conversation: Conversation) -> ModelName? { last }
    }

    private static func traits(
        _ body: String = #"{"messages":[{"role":"user","content":"Hi"}]}"#, _ fields: [(String, String)] = [], key: String? = nil
    ) throws -> RequestTraits {
        let bytes = ByteBuffer(string: body)
        return RequestTraits(
            fields: HTTPFields(fields.map { (name: $0.0, value: $0.1) }), face: .openai, key: key, isStream: false, body: bytes,
            members: try JSON.members(of: bytes.readableBytesSpan))
    }

    private static func names(
        _ route: String, last: String?, needs: RequestNeeds = RequestNeeds(), scope: ModelScope? = nil,
        _ readings: [Int: ModelReading] = [:]
    ) throws -> [String] {
        let snapshot = try snapshot(route),
            state = Remembering(last: last.map { ModelName(provider: $0 == "a" ? "p" : "q", model: $0) }, readings: readings)
        let request = PlanRequest(models: ["r"], needs: needs, scope: scope, traits: try traits())
        return try Planner.plan(request, in: snapshot, state: state).tries.map { snapshot.models[$0].name }
    }

    @Test("the model that last served the conversation goes first, whatever the order", arguments: Order.allCases)
    func first(order: Order) throws {
        let route = "try: { select: {}, order: \(order.rawValue) }, sticky: { by: prefix }"
        for last in ["a", "b", "c"] { #expect(try Self.names(route, last: last).first == last) }
        #expect(try Set(Self.names(route, last: "b")) == ["a", "b", "c"])
    }

    @Test("it goes first over all steps of 'try', and a model of the fallback does not")
    func steps() throws {
        #expect(try Self.names("try: [a, b], sticky: {}", last: "b") == ["b", "a"])
        #expect(try Self.names("try: [a], fallback: [b], sticky: {}", last: "b") == ["a"])
        #expect(try Self.names("try: [a, b]", last: "b") == ["a", "b"])
        #expect(try Self.names("try: [a, b], sticky: {}", last: "gone") == ["a", "b"])
    }

    @Test("a condition, a breaker, a limit and the key's scope outrank it")
    func outranked() throws {
        #expect(try Self.names("try: [a, b, c], sticky: {}", last: "c", needs: RequestNeeds(promptTokens: 100)) == ["a", "b"])
        #expect(try Self.names("try: { select: { tags: \"!rare\" } }, sticky: {}", last: "c") == ["a", "b"])
        #expect(try Self.names("try: [a, b], sticky: {}", last: "b", scope: ModelScope(models: [0], routes: [])) == ["a"])
        for availability in [Availability.open(until: .distantFuture), .limited(until: .distantFuture), .full] {
            #expect(try Self.names("try: [a, b], sticky: {}", last: "b", [1: .with(availability)]) == ["a", "b"])
        }
    }

    @Test("a model that ranks too low for the plan is still found among a thousand")
    func manyModels() throws {
        let models = (0..<1000).map { "  m\($0): { provider: p }" }.joined(separator: "\n")
        let snapshot = try EngineTests.snapshot(
            "providers: { p: { plugin: silent } }\nmodels:\n\(models)\nroutes: { r: { try: { select: {} }, sticky: {} } }")
        let state = Remembering(last: ModelName(provider: "p", model: "m999"))
        let plan = try Planner.plan(PlanRequest(models: ["r"], traits: try Self.traits()), in: snapshot, state: state)
        #expect(plan.tries.first == 999)
    }

    // MARK: Conversations

    private func id(
        _ by: [Sticky.Identity], _ body: String = "{}", _ fields: [(String, String)] = [], key: String? = "k", route: String = "r"
    ) throws -> UInt128? {
        var sticky = Sticky()
        sticky.identities = by
        return try Self.traits(body, fields, key: key).conversation(on: route, sticky)?.id
    }

    @Test(
        "each header field of a session identifies it",
        arguments: ["x-claude-code-session-id", "session_id", "conversation_id", "X-Session-Affinity"])
    func sessions(name: String) throws {
        let one = try id([.session], "{}", [(name, "1")])
        #expect(try one != nil && one == id([.session], #"{"user":"x"}"#, [(name, "1")]))
        #expect(try one != id([.session], "{}", [(name, "2")]))
        #expect(try id([.session], "{}", [(name, "")]) == nil)
    }

    @Test("the body's 'prompt_cache_key', 'user' and 'metadata.user_id', and a named header field, identify a conversation")
    func bodies() throws {
        for (identity, body) in [
            (Sticky.Identity.promptCacheKey, #"{"prompt_cache_key":"%"}"#), (.user, #"{"user":"%"}"#),
            (.user, #"{"metadata":{"user_id":"%"}}"#),
        ] {
            let one = try id([identity], body.replacing("%", with: "1"))
            #expect(
                try one != nil && one == id([identity], body.replacing("%", with: "1"))
                    && one != id([identity], body.replacing("%", with: "2")))
            #expect(try id([identity], body.replacing("%", with: "")) == nil)
        }
        #expect(try id([.header("x-team")], "{}", [("X-Team", "red")]) != nil)
        #expect(try id([.header("x-team")]) == nil)
        #expect(try id([.user], #"{"user":7}"#) == nil)
    }

    @Test("the first identity that a request has counts")
    func precedence() throws {
        let body = #"{"user":"u","prompt_cache_key":"p"}"#
        #expect(try id([.session, .promptCacheKey, .user], body) == id([.promptCacheKey], body))
        #expect(try id([.user, .promptCacheKey], body) == id([.user], body))
    }

    @Test("a conversation belongs to one route and one key")
    func owners() throws {
        let one = try id([.user], #"{"user":"u"}"#)
        #expect(try one != id([.user], #"{"user":"u"}"#, key: "other") && one != id([.user], #"{"user":"u"}"#, route: "other"))
        #expect(try one != id([.user], #"{"user":"u"}"#, key: nil))
    }

    @Test("the prefix is what stays the same when a conversation continues, in every format")
    func prefixes() throws {
        let continued: [(String, String)] = [
            (
                #"{"messages":[{"role":"system","content":"S"},{"role":"user","content":"1"}],"temperature":1}"#,
                #"{"messages":[{"role":"system","content":"S"},{"role":"user","content":"1"},{"role":"assistant","content":"2"},{"role":"user","content":"3"}]}"#
            ),
            (
                #"{"system":[{"type":"text","text":"S"}],"tools":[{"name":"t"}],"messages":[{"role":"user","content":[{"type":"text","text":"1","cache_control":{"type":"ephemeral"}}]}]}"#,
                #"{"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}}],"tools":[{"name":"t"}],"messages":[{"role":"user","content":[{"type":"text","text":"1"}]},{"role":"assistant","content":"2"}]}"#
            ),
            (
                #"{"instructions":"S","input":[{"role":"user","content":"1"}]}"#,
                #"{"instructions":"S","input":[{"role":"user","content":"1"},{"type":"reasoning"}]}"#
            ),
            (
                #"{"systemInstruction":{"parts":[{"text":"S"}]},"contents":[{"parts":[{"text":"1"}]}]}"#,
                #"{"systemInstruction":{"parts":[{"text":"S"}]},"contents":[{"parts":[{"text":"1"}]},{"role":"model","parts":[]}]}"#
            ),
        ]
        for (first, later) in continued {
            let one = try id([.prefix], first)
            #expect(try one != nil && one == id([.prefix], later))
            #expect(try one != id([.prefix], first.replacing("\"S\"", with: "\"T\"")))
            #expect(try one != id([.prefix], first.replacing("\"1\"", with: "\"2\"")))
        }
        #expect(try id([.prefix], #"{"messages":[]}"#) == nil && id([.prefix]) == nil)
    }

    // MARK: Memory

    private func conversation(_ id: Int, ttl: Duration = .seconds(60)) -> Conversation {
        Conversation(id: UInt128(id), identity: .session, ttl: ttl)
    }

    @Test("a model is remembered for the time to live after the last request")
    func expiry() {
        let memory = StickyMemory(), name = ModelName(provider: "p", model: "a"), start = NIODeadline.uptimeNanoseconds(0)
        memory.remember(name, for: conversation(1), now: start)
        #expect(memory.model(of: conversation(1), now: start + .seconds(59)) == name)
        #expect(memory.model(of: conversation(1), now: start + .seconds(60)) == nil)
        memory.remember(name, for: conversation(1), now: start + .seconds(50))
        #expect(memory.model(of: conversation(1), now: start + .seconds(100)) == name)
        #expect(memory.model(of: conversation(2), now: start) == nil)
    }

    @Test("the server behind the provider is remembered for the model that it served with")
    func host() {
        let memory = StickyMemory(), name = ModelName(provider: "p", model: "a"), now = NIODeadline.uptimeNanoseconds(0)
        memory.remember(name, at: "h", for: conversation(1), now: now)
        #expect(memory.host(of: conversation(1), at: name, now: now) == "h")
        #expect(memory.host(of: conversation(1), at: ModelName(provider: "p", model: "b"), now: now) == nil)
        #expect(memory.host(of: conversation(1), at: name, now: now + .seconds(60)) == nil)
        memory.remember(name, for: conversation(1), now: now)
        #expect(memory.host(of: conversation(1), at: name, now: now) == nil)
    }

    @Test("the last 65,536 conversations are remembered")
    func bound() {
        let memory = StickyMemory(), name = ModelName(provider: "p", model: "a"), now = NIODeadline.uptimeNanoseconds(0)
        for id in 0...65_536 { memory.remember(name, for: conversation(id), now: now) }
        #expect(memory.model(of: conversation(0), now: now) == nil && memory.model(of: conversation(1), now: now) == name)
    }

    // MARK: What it gains

    /// A server with a prompt cache: the turns of each conversation that it has seen.
    private struct CachingServer {
        var cached: [Int: Int] = [:]
        var hits = 0

        mutating func serve(_ conversation: Int, turn: Int) {
            hits += min(cached[conversation] ?? 0, turn)
            cached[conversation] = turn + 1
        }
    }

    private struct Drawing: PlanningState {
        let memory: StickyMemory
        var random = SplitMix64(seed: 7)

        func reading(ofModel model: Int) -> ModelReading { .fresh }
        func rotation(ofSegment segment: Int) -> Int { 0 }
        mutating func chance() -> Double { Double.random(in: 0..<1, using: &random) }
        func model(of conversation: Conversation) -> ModelName? { memory.model(of: conversation, now: .uptimeNanoseconds(0)) }
    }

    /// The cache hits of 20 conversations of 10 turns, which take turns, at two servers. One request fails in between.
    private func hits(_ route: String) throws -> Int {
        let snapshot = try Self.snapshot(route), memory = StickyMemory()
        var servers = [CachingServer(), CachingServer()], state = Drawing(memory: memory)
        for turn in 0..<10 {
            for conversation in 0..<20 {
                let messages = (0...turn).map { #"{"role":"user","content":"\#(conversation) \#($0)"}"# }.joined(separator: ",")
                let request = PlanRequest(models: ["r"], traits: try Self.traits(#"{"messages":[\#(messages)]}"#))
                let plan = try Planner.plan(request, in: snapshot, state: state)
                _ = state.chance()
                let fails = turn == 5 && conversation == 10
                let model = plan.tries[fails ? 1 : 0]
                servers[model].serve(conversation, turn: turn)
                if let conversation = plan.conversation {
                    memory.remember(snapshot.name(ofModel: model), for: conversation, now: .uptimeNanoseconds(0))
                }
            }
        }
        return servers.reduce(0) { $0 + $1.hits }
    }

    @Test("conversations keep at least 0.95 of the cache hits that a single server would have")
    func cacheHits() throws {
        let single = try hits("try: [a, b]"), order = "try: { select: { models: [a, b] }, order: weighted }"
        let sticky = try hits("\(order), sticky: { by: [session, prefix] }"), drawn = try hits(order)
        #expect(Double(sticky) >= 0.95 * Double(20 * 45))
        #expect(drawn < sticky * 9 / 10, "without it, the draw loses hits")
        #expect(single >= 20 * 45 - 10)
    }
}
