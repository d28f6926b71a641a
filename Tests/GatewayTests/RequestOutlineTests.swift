import Codecs
import Engine
import ProviderKit
import RoutingPolicy
import Testing

@testable import Gateway

func readChat(_ body: String, _ headers: [String] = [], defaults: RoutingOverrides? = nil) throws -> RequestOutline {
    let bytes = Array(body.utf8)
    return try RequestOutline(bytes.span.bytes, fields: headerFields(headers), defaults: defaults.map(OverridesBox.init))
}

func chatError(_ body: String, _ headers: [String] = [], sourceLocation: SourceLocation = #_sourceLocation) throws -> APIError {
    try #require(throws: APIError.self, sourceLocation: sourceLocation) { try readChat(body, headers) }
}

@Suite("what the router reads of a chat request")
struct ChatRequestTests {
    @Test(
        "the names in 'model' are trimmed, and empty ones left out",
        arguments: [
            (#""a,""#, ["a"]), (#"",a""#, ["a"]), (#""a,\nb""#, ["a", "b"]), (#""\n a \r\n,,\tp/b ,\n""#, ["a", "p/b"]),
            (#"["a", "", " b\n"]"#, ["a", "b"]), (#""a,b,c,d,e,f,g,h,i,,,j,""#, "abcdefghij".map { String($0) }), (#""\n""#, []),
        ])
    func modelNames(json: String, names: [String]) throws {
        #expect(try readChat("{\"model\":\(json)}").models == names)
    }

    @Test(
        "an empty text for an override says nothing",
        arguments: ["fallback_model", "fallback_provider", "type", "selection_mode", "tags", "model"])
    func emptyText(name: String) throws {
        let header = "x-router-" + name.split(separator: "_").joined(separator: "-")
        for text in ["", " "] {
            let fields = try readChat("{\"\(name)\":\"\(text)\"}", ["\(header):\(text)"])
            #expect(fields.overrides?.fields ?? RoutingOverrides() == RoutingOverrides() && fields.models.isEmpty)
        }
    }

    @Test("model, stream, usage, choices and the JSON format are read")
    func fields() throws {
        let request = try readChat(
            #"{"model":"a/b","stream":true,"stream_options":{"include_usage":true},"n":3,"response_format":{"type":"json_schema"}}"#)
        #expect(request.models == ["a/b"])
        #expect(request.isStream && request.wantsUsage && request.wantsJSON)
        #expect(request.choices == 3)
    }

    @Test(
        "a member that is absent, null or empty has its default",
        arguments: [
            "{}", #"{"model":null,"stream":null,"n":null,"tools":null,"messages":null,"stream_options":null,"response_format":null}"#,
            #"{"model":""}"#,
            #"{"response_format":{"type":"text"},"stream_options":{"include_usage":false},"n":0,"tools":[],"functions":[ ]}"#,
        ])
    func defaults(body: String) throws {
        let request = try readChat(body)
        #expect(request.models.isEmpty && !request.isStream && !request.wantsUsage && !request.wantsJSON && request.choices == 1)
        #expect(request.needs == RequestNeeds() && request.overrides == nil)
    }

    @Test("an escaped key is the same key")
    func escapedKeys() throws {
        #expect(try readChat(#"{"mod\u0065l":"x"}"#).models == ["x"])
        #expect(try readChat(#"{"\u0074ype":"fast"}"#).overrides?.fields.type == "fast")
        #expect(try readChat(#"{"stream_options":{"include\u005fusage":true}}"#).wantsUsage)
    }

    @Test(
        "a duplicate of a key that the router reads is refused, also if one is escaped",
        arguments: [
            ("model", #""a""#), ("messages", "[]"), ("stream", "true"), ("n", "1"), ("stream_options", "{}"), ("response_format", "{}"),
            ("tools", "[]"),
            ("functions", "[]"), ("max_tokens", "1"), ("max_completion_tokens", "1"), ("tags", #""a""#), ("type", #""fast""#),
            ("min_context_size", "1"),
            ("min_max_output_tokens", "1"), ("supports_image", "true"), ("supports_video", "true"), ("supports_audio", "true"),
            ("supports_file", "true"),
            ("supports_tools", "true"), ("json_response", "true"), ("prefer_fast", "true"), ("min_success_rate", "1"),
            ("selection_mode", #""best""#),
            ("max_model_switches", "1"),
            ("max_same_model_retries", "1"), ("retry_delay", "1"), ("timeout_secs", "1"), ("fallback_provider", "null"),
            ("fallback_model", #""m""#),
        ])
    func duplicates(key: String, value: String) throws {
        let escaped = "\\u00" + String(key.utf8.first ?? 0, radix: 16) + key.dropFirst()
        for second in [key, escaped] {
            for body in ["{\"\(key)\":\(value),\"x\":1,\"\(second)\":\(value)}", "{\"\(key)\":null,\"\(second)\":\(value)}"] {
                let error = try chatError(body)
                #expect(error.status == 400 && error.code == "duplicate_field" && error.param == key, "\(body)")
            }
        }
        #expect(throws: Never.self) { try readChat("{\"\(key)\":\(value),\"\(key)s_\":\(value)}") }
    }

    @Test(
        "a duplicate of a nested member that the router reads is refused",
        arguments: [
            (#"{"stream_options":{"include_usage":true,"include_usage":false}}"#, "stream_options.include_usage"),
            (#"{"response_format":{"type":"text","typ\u0065":"json_object"}}"#, "response_format.type"),
        ])
    func innerDuplicates(body: String, param: String) throws {
        let error = try chatError(body)
        #expect(error.status == 400 && error.code == "duplicate_field" && error.param == param)
    }

    @Test("routing overrides do not go upstream; all other members keep their order")
    func ownFields() throws {
        let body = """
            {"timeout_secs":5,"x":1,"max_model_switches":1,"messages":[{"role":"user","content":"a"}],"prefer_fast":false,"supports_tools":null,"model":"m",
            "t\\u0061gs":"a","type":"fast","min_context_size":1,"min_max_output_tokens":1,"supports_image":true,"supports_video":true,"supports_audio":true,
            "supports_file":true,"json_response":true,"min_success_rate":0.5,"selection_mode":"best","max_same_model_retries":0,"retry_delay":0,"fallback_provider":"p",
            "fallback_model":"m","max_tokens":1,"tools":[],"typ":1,"types":2}
            """
        let bytes = Array(body.utf8)
        let request = try RequestOutline(bytes.span.bytes)
        let members = request.members.map {
            (JSON.string($0.key, in: bytes.span.bytes), String(decoding: bytes[$0.value.range], as: UTF8.self))
        }
        #expect(members.map(\.0) == ["x", "messages", "model", "max_tokens", "tools", "typ", "types"])
        #expect(members.map(\.1) == ["1", #"[{"role":"user","content":"a"}]"#, #""m""#, "1", "[]", "1", "2"])
    }

    @Test(
        "a wrong type of a field that the router reads is refused with the field's name",
        arguments: [
            (#"{"stream":"yes"}"#, "stream"), (#"{"stream":1}"#, "stream"), (#"{"stream_options":[]}"#, "stream_options"),
        ])
    func wrong(body: String, param: String) throws {
        let error = try chatError(body)
        #expect(error.status == 400 && error.code == "invalid_value" && error.param == param)
    }

    @Test(
        "values that only the upstream can judge are passed on",
        arguments: [
            #"{"messages":"hello"}"#, #"{"messages":{"role":"user"}}"#, #"{"messages":[1,null,"x",[]]}"#, #"{"messages":[{"content":7}]}"#,
            #"{"tools":{"a":1}}"#,
            #"{"max_tokens":"many"}"#, #"{"max_tokens":-1}"#, #"{"max_completion_tokens":1.5}"#, #"{"n":"two"}"#,
            #"{"response_format":"json"}"#,
            #"{"messages":[{"tool_calls":[1,{"function":"f"}]}]}"#,
        ])
    func leftToTheUpstream(body: String) throws {
        let request = try readChat(body)
        #expect(request.members.count == 1)
        #expect(request.needs.supports.isEmpty && request.needs.maxTokens == nil)
    }

    @Test(
        "a body that is not a JSON object is refused with the position, whatever else is wrong",
        arguments: [
            "", "[]", "{", "{\"a\":1,}", "\u{FEFF}{}", "{}x", "{\"model\":7", "{\"messages\":[{\"content\":\"a}]}",
            "{\"messages\":[{\"content\":[{\"type\"}]}]}",
        ])
    func notAnObject(body: String) throws {
        let error = try chatError(body)
        #expect(error.status == 400 && error.code == "invalid_json")
        #expect(error.message.contains("line 1, column"))
    }

    @Test("more than 128 levels of nesting are refused, also in messages")
    func depth() throws {
        func nested(_ levels: Int) -> String {
            #"{"messages":[{"content":"# + String(repeating: "[", count: levels) + String(repeating: "]", count: levels) + "}]}"
        }
        #expect(throws: Never.self) { try readChat(nested(125)) }
        #expect(try chatError(nested(126)).code == "invalid_json")
    }

    @Test("members that the router does not read pass: huge numbers, lone surrogates, duplicates")
    func passes() throws {
        #expect(try readChat(#"{"a":1e999,"b":"\ud800","c":1,"c":2}"#).members.count == 4)
    }
}

extension RequestOutline {
    /// The members of a body that is JSON.
    var members: [JSONMember] { if case .members(let members) = payload { members } else { [] } }
}
