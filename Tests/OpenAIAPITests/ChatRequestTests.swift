import ProviderKit
import Testing

@testable import OpenAIAPI

@Suite("what the router reads of a chat request")
struct ChatRequestTests {
    private func read(_ body: String) throws -> ChatRequest {
        let bytes = Array(body.utf8)
        return try ChatRequest(bytes.span.bytes)
    }

    private func error(_ body: String) throws -> APIError {
        try #require(throws: APIError.self) { try read(body) }
    }

    @Test("model, stream, usage, choices and the JSON wish")
    func fields() throws {
        let request = try read(
            #"{"model":"a/b","stream":true,"stream_options":{"include_usage":true},"n":3,"response_format":{"type":"json_schema"},"timeout_secs":7,"max_model_switches":2}"#)
        #expect(request.model == "a/b")
        #expect(request.isStream && request.wantsUsage && request.wantsJSON)
        #expect(request.choices == 3)
        #expect(request.total == .seconds(7))
        #expect(request.maxModels == 3)
    }

    @Test("what is not given, null or empty has its default", arguments: ["{}", #"{"model":null,"stream":null,"n":null}"#, #"{"model":""}"#])
    func defaults(body: String) throws {
        let request = try read(body)
        #expect(request.model == nil && !request.isStream && !request.wantsUsage && request.choices == 1)
    }

    @Test("an escaped key is the same key")
    func escapedKeys() throws {
        #expect(try read(#"{"mod\u0065l":"x"}"#).model == "x")
        #expect(try error(#"{"model":"a","mod\u0065l":"b"}"#).param == "model")
    }

    @Test("the router's own fields go nowhere, all others stay in their order")
    func ownFields() throws {
        let body = #"{"timeout_secs":5,"x":1,"max_model_switches":1,"messages":[],"prefer_fast":false,"supports_tools":null}"#
        let bytes = Array(body.utf8)
        let request = try ChatRequest(bytes.span.bytes)
        let keys = request.members.map { JSON.string($0.key, in: bytes.span.bytes) }
        #expect(keys == ["x", "messages"])
    }

    @Test("a wrong type or a value out of range is a 400 that names the field", arguments: [
        (#"{"model":7}"#, "model"), (#"{"model":["a"]}"#, "model"), (#"{"stream":"yes"}"#, "stream"), (#"{"stream_options":[]}"#, "stream_options"),
        (#"{"timeout_secs":0}"#, "timeout_secs"), (#"{"timeout_secs":601}"#, "timeout_secs"), (#"{"timeout_secs":1.5}"#, "timeout_secs"),
        (#"{"max_model_switches":11}"#, "max_model_switches"), (#"{"tags":"fast"}"#, "tags"), (#"{"fallback_model":"x"}"#, "fallback_model"),
        (#"{"stream":true,"stream":true}"#, "stream"),
    ])
    func wrong(body: String, param: String) throws {
        let error = try error(body)
        #expect(error.status == 400)
        #expect(error.param == param)
    }

    @Test("what is no JSON object is a 400 that says where", arguments: ["", "[]", "{", "{\"a\":1,}", "\u{FEFF}{}", "{}x"])
    func notAnObject(body: String) throws {
        let error = try error(body)
        #expect(error.status == 400 && error.code == "invalid_json")
        #expect(error.message.contains("line 1, column"))
    }

    @Test("what it doesn't read passes: huge numbers, lone surrogates, duplicates")
    func passes() throws {
        #expect(try read(#"{"a":1e999,"b":"\ud800","c":1,"c":2}"#).members.count == 4)
    }
}

@Suite("paths")
struct EndpointTests {
    @Test("the three prefixes mean the same", arguments: ["", "/v1", "/api/v1"])
    func prefixes(prefix: String) {
        #expect(Endpoint(path: prefix + "/chat/completions") == .chat)
        #expect(Endpoint(path: prefix + "/models") == .models)
        #expect(Endpoint(path: prefix + "/models/openrouter/llama%203") == .model("openrouter/llama 3"))
        #expect(Endpoint(path: prefix + "/health") == .health)
    }

    @Test("anything else is no endpoint", arguments: ["", "/", "/v2/models", "/v1/models/", "/v1/models/%zz", "/v1/models/%ff", "/chat/completions/", "/V1/models", "/ui"])
    func unknown(path: String) {
        #expect(Endpoint(path: path) == nil)
    }
}
