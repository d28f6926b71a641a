import Codecs
import ConfigTree
import OpenAI
import OpenAICompatible
import ProviderConformance
import ProviderKit
import Testing
import WireFormats

@Suite("continuing a partial response with the OpenAI plugin")
struct OpenAIContinuationTests {
    @Test(
        "each kind of request has the form that its servers document",
        arguments: [
            ("prefill", #"{"model":"up","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"He said \"no\"\n🚀"}]}"#),
            (
                "prefix",
                #"{"model":"up","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"He said \"no\"\n🚀","prefix":true}]}"#
            ),
            (
                "continue_final_message",
                #"{"model":"up","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"He said \"no\"\n🚀"}],"continue_final_message":true,"add_generation_prompt":false}"#
            ),
        ])
    func ways(way: String, expected: String) throws {
        #expect(try sent(#"{"model":"a","messages":[{"role":"user","content":"hi"}]}"#, way, "He said \"no\"\n🚀") == expected)
    }

    @Test(
        "the client's bytes stay as they were, and the result is JSON",
        arguments: [
            (#"{"messages":[]}"#, #"{"messages":[{"role":"assistant","content":"x"}],"model":"up"}"#),
            (#"{ "messages" : [ ] }"#, #"{ "messages" : [ {"role":"assistant","content":"x"}],"model":"up"}"#),
            (
                #"{"messages":[ {"content":"a]"} , 1 ],"n":1}"#,
                #"{"messages":[ {"content":"a]"} , 1 ,{"role":"assistant","content":"x"}],"n":1,"model":"up"}"#
            ),
            (#"{"n":1}"#, #"{"n":1,"model":"up","messages":[{"role":"assistant","content":"x"}]}"#),
            (#"{"mess\u0061ges":[1]}"#, #"{"mess\u0061ges":[1,{"role":"assistant","content":"x"}],"model":"up"}"#),
        ])
    func messages(body: String, expected: String) throws {
        #expect(try sent(body, "prefill", "x") == expected)
    }

    @Test("the client's body is not copied")
    func noCopy() throws {
        let body = Array(
            (#"{"model":"a","messages":[{"role":"user","content":""# + String(repeating: "x", count: 100_000) + #""}],"temperature":0}"#)
                .utf8)
        let sources = try request(body, "prefill", "short").body
        let newBytes = sources.reduce(0) { if case .bytes(let bytes) = $1 { $0 + bytes.count } else { $0 } }
        #expect(newBytes < 100)
    }

    @Test("the members that a continuation needs take precedence over the client's and the policy's, and occur once")
    func flagsWin() throws {
        let fields = [BodyField(key: "add_generation_prompt", json: Array("true".utf8)), BodyField(key: "seed", json: Array("1".utf8))]
        let body = #"{"messages":[],"add_generation_prompt":true,"continue_final_message":false}"#
        let expected =
            #"{"messages":[{"role":"assistant","content":"x"}],"add_generation_prompt":false,"continue_final_message":true,"model":"up","seed":1}"#
        #expect(try sent(body, "continue_final_message", "x", defaults: fields) == expected)
        #expect(try sent(body, "continue_final_message", "x", overrides: fields) == expected)
        #expect(
            try sent(#"{"messages":[]}"#, "continue_final_message", "x", defaults: fields).split(separator: "add_generation_prompt").count
                == 2)
    }

    @Test("an ordinary call is sent unchanged", arguments: ["no", "prefill", "prefix", "continue_final_message"])
    func ordinaryCalls(way: String) throws {
        let body = #"{"model":"up","messages":[1]}"#
        #expect(try sent(body, way, nil) == body)
    }

    @Test("a provider that can't continue throws an error that names the option")
    func unableServers() throws {
        let error = #expect(throws: ProviderError.self) { try request(Array(#"{"messages":[]}"#.utf8), "no", "x") }
        #expect(error?.failure == .unsupported)
        #expect(error?.message.contains("continues") == true)
        for (way, canContinue) in [("no", false), ("prefill", true), ("prefix", true), ("continue_final_message", true)] {
            #expect(try provider(way).canContinue == canContinue)
        }
    }

    @Test("the provider passes the conformance suite", arguments: ["prefill", "prefix", "continue_final_message"])
    func conformance(way: String) throws {
        let requests = [#"{"messages":[]}"#, #"{"model":"auto","messages":[{"role":"user","content":"Привет 🚀"}],"stream":true}"#].map(
            ProviderConformance.Request.body)
        #expect(ProviderConformance(provider: try provider(way), responses: [], requests: requests).violations() == [])
    }

    @Test("OpenAI itself doesn't have the option, and for a misspelled word the right one is suggested")
    func options() {
        let key = ConfigEntry(
            key: ConfigText("api_key", at: .start), value: ConfigNode(.scalar(ConfigScalar("sk-0123456789abcdef")), at: .start))
        var fields = FieldReader([key, entry("continues", "prefill")], at: .start)
        _ = OpenAIPlugin.readOptions(&fields)
        #expect(fields.finish().map(\.message).contains { $0.contains("continues") })
        var wrong = FieldReader([entry("base_url", "http://127.0.0.1:1/v1"), entry("continues", "prefil")], at: .start)
        _ = OpenAICompatiblePlugin.readOptions(&wrong)
        #expect(wrong.finish().map(\.message) == ["'continues' can't be 'prefil'; did you mean 'prefill'?"])
    }

    private func entry(_ key: String, _ value: String) -> ConfigEntry {
        ConfigEntry(key: ConfigText(key, at: .start), value: ConfigNode(.scalar(ConfigScalar(value)), at: .start))
    }

    private func provider(_ way: String) throws -> OpenAICompatibleProvider {
        var fields = FieldReader([entry("base_url", "http://127.0.0.1:1/v1"), entry("continues", way)], at: .start)
        return OpenAICompatibleProvider(try #require(OpenAICompatiblePlugin.readOptions(&fields)))
    }

    private func request(
        _ body: [UInt8], _ way: String, _ text: String?, defaults: [BodyField] = [], overrides: [BodyField] = []
    ) throws -> UpstreamRequest {
        let members = try JSON.members(of: body.span.bytes)
        let call = Call(
            operation: .chat, model: "up", isStream: false, format: OpenAIChat.format, payload: .members(members), defaults: defaults,
            overrides: overrides, continuation: text)
        return try provider(way).request(for: call, body: body.span.bytes)
    }

    private func sent(
        _ body: String, _ way: String, _ text: String?, defaults: [BodyField] = [], overrides: [BodyField] = []
    ) throws -> String {
        let bytes = Array(body.utf8)
        let request = try request(bytes, way, text, defaults: defaults, overrides: overrides)
        return String(
            decoding: request.body.flatMap { source in
                switch source {
                case .bytes(let bytes): bytes
                case .client(let range): Array(bytes[range])
                }
            }, as: UTF8.self)
    }
}
