import Codecs
import ProviderKit
import RoutingPolicy
import Testing

/// The reading of `tests`, and of the routing overrides that keys and tests set.
struct ExpectationTests {
    private func policy(_ text: String) throws -> RoutingPolicy {
        let report = load(
            """
            version: 1
            providers: { p: { plugin: echo }, q: { plugin: echo } }
            models: { m: { provider: p }, q/n: { provider: q } }
            routes: { auto: { try: [m, n] } }
            \(text)
            """)
        return try #require(report.policy, "\(report.rendered())")
    }

    private func body(_ request: String) throws -> String {
        let test = try #require(try policy("tests: [{ name: t, request: { \(request) }, expect: { chosen: m } }]\n").tests.first)
        return String(decoding: test.body, as: UTF8.self)
    }

    @Test func `a test of another operation than chat has a short request for it`() throws {
        let tests = try policy(
            """
            tests:
              - { name: a, operation: embeddings, expect: { refused: 400 } }
              - { name: b, operation: images, request: { model: m, text: A cat, tags: x }, expect: { refused: 400 } }
              - { name: c, operation: rerank, request: { body: { query: q } }, expect: { refused: 400 } }
              - { name: d, operation: rerank, request: { text: q }, expect: { refused: 400 } }
              - { name: e, expect: { chosen: m } }
            """
        ).tests
        #expect(tests.map(\.operation) == [.embeddings, .imageGeneration, .rerank, .rerank, .chat])
        #expect(
            tests.map { String(decoding: $0.body, as: UTF8.self) } == [
                #"{"input":"Hello"}"#, #"{"model":"m","prompt":"A cat","tags":["x"]}"#, #"{"query":"q"}"#,
                #"{"query":"q","documents":["q"]}"#,
                #"{"messages":[{"role":"user","content":"Hello"}]}"#,
            ])
    }

    @Test(arguments: [
        ("", #"{"messages":[{"role":"user","content":"Hello"}]}"#),
        ("model: auto", #"{"model":"auto","messages":[{"role":"user","content":"Hello"}]}"#),
        ("model: [p/m]", #"{"model":["p/m"],"messages":[{"role":"user","content":"Hello"}]}"#),
        (#"text: "a \"b\"", max_tokens: 7"#, #"{"messages":[{"role":"user","content":"a \"b\""}],"max_tokens":7}"#),
        ("json: true, image: false", #"{"messages":[{"role":"user","content":"Hello"}],"response_format":{"type":"json_object"}}"#),
        (
            "tools: true",
            #"""
            {"messages":[{"role":"user","content":"Hello"}],\#
            "tools":[{"type":"function","function":{"name":"look_up","parameters":{"type":"object"}}}]}
            """#
        ),
        (
            "tags: [\"a&b\", \"!c\"], prefer_fast: true",
            #"{"messages":[{"role":"user","content":"Hello"}],"tags":["a & b","!c"],"prefer_fast":true}"#
        ),
        (
            """
            type: fast, min_context_size: 1, min_max_output_tokens: 2, supports_image: true, supports_audio: false, \
            min_success_rate: 0.5, selection_mode: best, timeout_secs: 3
            """,
            #"""
            {"messages":[{"role":"user","content":"Hello"}],"type":"fast","min_context_size":1,"min_max_output_tokens":2,\#
            "supports_image":true,"supports_audio":false,"min_success_rate":0.5,"selection_mode":"best","timeout_secs":3}
            """#
        ),
        (
            "max_model_switches: 1, max_same_model_retries: 2, retry_delay: 1500, fallback_provider: q, fallback_model: n",
            #"""
            {"messages":[{"role":"user","content":"Hello"}],"max_model_switches":1,"max_same_model_retries":2,\#
            "retry_delay":1500,"fallback_provider":"q","fallback_model":"n"}
            """#
        ),
        ("stream: false", #"{"messages":[{"role":"user","content":"Hello"}],"stream":false}"#),
        ("body: { model: m, messages: [], temperature: 0.5, user: null }", #"{"model":"m","messages":[],"temperature":0.5,"user":null}"#),
    ])
    func `a test's request becomes a chat request`(request: String, json: String) throws {
        #expect(try body(request) == json)
    }

    @Test(arguments: [
        (#"model: "n, auto""#, #""model":"n, auto","#), (#"model: "nobody, q/n""#, #""model":"nobody, q/n","#),
        (#"model: "m,""#, #""model":"m,","#), ("model: [nobody, m]", #""model":["nobody","m"],"#), (#"model: """#, #"{"messages":["#),
        (#"body: { model: "nobody, m" }"#, #""model":"nobody, m""#),
        (#"type: "", selection_mode: "", fallback_model: """#, #""content":"Hello"}]}"#),
    ])
    func `a test's request names models by the rules of requests`(request: String, member: String) throws {
        #expect(try body(request).contains(member))
    }

    @Test(arguments: [(#""x,""#, #""tags":["x"]"#), (#""x,, y & z""#, #""tags":["x","y & z"]"#), (#"",""#, "}]}"), (#""""#, "}]}")])
    func `the tags of a test's request may have empty entries`(tags: String, member: String) throws {
        #expect(try body("tags: \(tags)").contains(member))
    }

    @Test(arguments: ["model: nobody", #"model: "nobody, never""#, "model: [nobody]", #"body: { model: "nobody, never" }"#])
    func `a test's request must name a model or route that exists`(request: String) {
        let report = load(
            """
            version: 1
            providers: { p: { plugin: echo } }
            models: { m: { provider: p } }
            tests: [{ name: t, request: { \(request) }, expect: { chosen: m } }]
            """)
        #expect(report.policy == nil && report.rendered().contains("there is no model or route 'nobody'"))
    }

    @Test(arguments: [
        #"request: { model: m, fallback_model: "new:free", fallback_provider: q }"#,
        #"request: { body: { model: m, fallback_model: "new:free", fallback_provider: q } }"#, "key: k",
    ])
    func `an expectation may name the request's unlisted fallback`(request: String) throws {
        let policy = try policy(
            """
            keys: { k: { secret: s3cret-s3cret, defaults: { fallback_model: "new:free", fallback_provider: q } } }
            tests:
              - { name: t, \(request), down: [m], expect: { order: [m, "q/new:free"], chosen: "q/new:free", never: q/n } }
              - { name: u, \(request), down: [m, "q/new:free"], expect: { never: n } }
            """)
        #expect(policy.tests[0].order == ["m", "q/new:free"] && policy.tests[0].chosen == ["q/new:free"])
        #expect(policy.tests[1].down == ["m", "q/new:free"])
    }

    @Test
    func `an expectation may not name another unlisted model`() {
        let report = load(
            """
            version: 1
            providers: { p: { plugin: echo } }
            models: { m: { provider: p } }
            tests: [{ name: t, request: { fallback_model: x, fallback_provider: p }, expect: { order: [m, p/y] } }]
            """)
        #expect(report.policy == nil && report.rendered().contains("'p/y'"))
    }

    @Test
    func `media become parts of the message, after its text`() throws {
        let text = try body("image: true, audio: true, file: true")
        let parts = try #require(
            text.firstRange(
                of: #""content":[{"type":"text","text":"Hello"},{"type":"image_url","image_url":{"url":"data:image/png;base64,"#))
        let audio = try #require(text.firstRange(of: #"{"type":"input_audio","input_audio":{"data":""#))
        let file = try #require(
            text.firstRange(of: #"{"type":"file","file":{"filename":"empty.pdf","file_data":"data:application/pdf;base64,"#))
        #expect(parts.upperBound < audio.lowerBound && audio.upperBound < file.lowerBound)
        let bytes = Array(text.utf8)
        #expect(throws: Never.self) { try JSON.members(of: bytes.span.bytes) }
    }

    @Test
    func `a test is read as written`() throws {
        let policy = try policy(
            """
            keys: { k: { secret: s3cret-s3cret } }
            tests:
              - name: the second model is chosen if the first is down
                key: k
                down: [p, q/n]
                request: { tokens: 5 }
                expect: { chosen: m, order: [m, q/n], never: n }
              - name: an unknown model is refused
                request: { model: nobody }
                expect: { refused: 404 }
            """)
        var first = RoutingExpectation(
            name: "the second model is chosen if the first is down", position: policy.tests[0].position, body: policy.tests[0].body)
        first.key = "k"
        first.down = ["p", "q/n"]
        first.tokens = 5
        first.chosen = ["m"]
        first.order = ["m", "q/n"]
        first.never = ["n"]
        #expect(policy.tests[0] == first)
        #expect(policy.tests[0].position.line == 7)
        #expect(policy.tests[1].refused == 404 && policy.tests[1].chosen.isEmpty && policy.tests[1].order == nil)
    }

    @Test
    func `a key's defaults are routing overrides`() throws {
        let key = try #require(
            try policy(
                """
                keys:
                  k:
                    secret: s3cret-s3cret
                    metadata: false
                    limits: { tokens_per_minute: 5 }
                    defaults:
                      tags: "a & !b"
                      supports_tools: true
                      supports_image: false
                      retry_delay: 250
                      timeout_secs: 30
                      max_model_switches: 2
                      fallback_model: n
                """
            ).keys.first)
        var fields = RoutingOverrides()
        fields.tags = TagExpression(["a & !b"])
        fields.supports = [.tools]
        fields.waived = [.image]
        fields.retryDelay = .milliseconds(250)
        fields.timeout = .seconds(30)
        fields.maxModelSwitches = 2
        fields.fallbackModel = "n"
        #expect(key.defaults?.fields == fields)
        #expect(key.limits == Limits(tokensPerMinute: 5))
        #expect(!key.wantsMetadata)
    }

    @Test
    func `a reference to a name with a broken definition is not reported again`() {
        let report = load(
            """
            version: 1
            providers: { p: { plugin: echo } }
            models: { m: { provider: p }, n: { provider: p, context: x, supports: [no] }, o: { provider: nobody } }
            keys: { k: { sha256: short } }
            tests: [{ name: t, key: k, down: o, request: { model: o }, expect: { never: o } }]
            """)
        #expect(report.issues.map(\.position.line) == [3, 3, 3, 4])
    }
}
