import TestSupport
import Testing

/// A key with `metadata: false`: its client doesn't learn which providers and models serve it.
@Suite struct HiddenMetadataTests {
    private static let key = "the-clients-own-key"
    /// In the names of providers, of models and of their upstream names.
    private static let secret = "acme"

    private static func policy(_ upstream: ScriptedUpstream) -> PolicyText {
        PolicyText(keys: ["  k: { secret: \(key), metadata: false }"]).with {
            $0.moreProviders = [
                "  acme-eu: { plugin: openai-compatible, base_url: \"http://127.0.0.1:\(upstream.port)/v1\" }",
                "  acme-us: { plugin: openai-compatible, base_url: \"http://127.0.0.1:\(upstream.port)/v1\" }",
                "  acme-off: { plugin: openai, api_key: \"${ACME_API_KEY}\" }",
            ]
            $0.moreModels = [
                "  acme-large: { provider: acme-eu, upstream: vendor/acme-1, hidden: true }",
                "  acme-small: { provider: acme-us, upstream: vendor/acme-2, hidden: true }",
                "  acme-absent: { provider: acme-off, hidden: true }",
            ]
            $0.routes = [
                "  chat: { try: [acme-large, acme-small] }", "  one: { try: acme-large }", "  absent: { try: acme-absent }",
                "  named: { try: { select: { provider: [acme-eu, acme-us] } } }",
            ]
        }
    }

    /// Everything that the client gets, in lower case.
    private func texts(_ router: RouterProcess, _ model: String, extra: String = "") throws -> [String] {
        let buffered = try router.chat(model, extra: extra, key: Self.key, fields: ["x-router-metadata: on"])
        let stream = try router.stream(model, extra: extra, key: Self.key)
        return [
            buffered.head.raw, buffered.text, stream.head.raw, String(decoding: stream.body, as: UTF8.self),
            stream.data.joined(separator: "\n"),
        ].map { $0.lowercased() }
    }

    private func expectNoName(_ texts: [String], line: Int = #line) {
        #expect(!texts.contains { $0.contains(Self.secret) || $0.contains("_router") }, "line \(line): \(texts)")
    }

    @Test func `a response has no name in its head and no '_router'`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(Self.policy(upstream))
        let texts = try texts(router, "chat")
        expectNoName(texts)
        #expect(texts[0].contains("x-router-attempts: 1") && texts[2].contains("x-router-attempts: 1"))
    }

    @Test(arguments: [400, 401, 404, 413, 422, 429, 500, 503])
    func `an error has no name, whatever the upstream says`(status: Int) throws {
        let message = "Acme-1 (vendor/acme-1) of ACME-EU is busy: see `acme-large`"
        let upstream = try ScriptedUpstream(ScriptedUpstream.failing(status, message))
        let router = try RouterProcess(Self.policy(upstream))
        for model in ["chat", "one"] {
            let texts = try texts(router, model)
            expectNoName(texts)
            #expect(texts[1].contains("\"error\""))
        }
    }

    @Test func `an error in a stream has no name`() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.startStream()
            try exchange.event(OpenAIReplies.contentChunk("x"))
            try exchange.event(OpenAIReplies.error("acme-1 at acme-eu is broken", type: "acme_error", code: "\"acme-1\""))
            try exchange.finishChunks()
        }
        let router = try RouterProcess(Self.policy(upstream))
        let stream = try router.stream("chat", key: Self.key)
        #expect(stream.errors.count == 1)
        expectNoName([stream.head.raw, stream.data.joined(separator: "\n")])
    }

    @Test func `a refusal of the router itself has no name`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(Self.policy(upstream))
        for (model, extra) in [
            ("absent", ""), ("chat", "\"supports_image\":true"), ("named", "\"tools\":[{\"type\":\"function\"}]"), ("none", ""),
        ] {
            let texts = try texts(router, model, extra: extra)
            expectNoName(texts)
            #expect(texts[1].contains("\"error\""), "\(model)")
        }
    }

    @Test func `the list names no provider`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(
            Self.policy(upstream).with { $0.moreModels.append("  plain: { provider: acme-eu, upstream: acme-3 }") })
        for path in ["/models", "/v1/models", "/models/plain"] {
            let list = try router.get(path, key: Self.key)
            #expect(list.status == 200 && list.text.contains("\"plain\""))
            expectNoName([list.text.lowercased()])
        }
    }
}
