import Engine
import ProviderKit
import RoutingPolicy
import Testing

@testable import Gateway

@Suite("what the router reads of a Responses request")
struct ResponsesOutlineTests {
    private func read(_ body: String) throws -> RequestOutline {
        let bytes = Array(body.utf8)
        return try RequestOutline(bytes.span.bytes, .openAIResponses)
    }

    private func needs(_ items: String) throws -> RequestNeeds { try read(#"{"input":[\#(items)]}"#).needs }

    @Test("its model, its stream and its limit")
    func members() throws {
        let outline = try read(#"{"model":"a","stream":true,"max_output_tokens":7,"input":"Hi","tags":["x"]}"#)
        #expect(outline.models == ["a"] && outline.isStream && outline.needs.maxTokens == 7)
        #expect(outline.overrides != nil)
        guard case .members(let members) = outline.payload else { return #expect(Bool(false)) }
        #expect(members.count == 4, "the router's own field stays here")
    }

    @Test(
        "items need what their parts and results need",
        arguments: [
            (#"{"role":"user","content":"Hi"}"#, nil), (#"{"role":"user","content":[{"type":"input_text","text":"a"}]}"#, nil),
            (#"{"role":"user","content":[{"type":"input_image","image_url":"https://h"}]}"#, .image),
            (#"{"role":"user","content":[{"type":"input_file","file_id":"f"}]}"#, .file),
            (#"{"role":"user","content":[{"type":"input_audio","input_audio":{}}]}"#, .audio),
            (#"{"type":"function_call_output","call_id":"c","output":[{"type":"input_image","image_url":"https://h"}]}"#, .image),
            (#"{"type":"function_call_output","call_id":"c","output":"image"}"#, nil),
            (#"{"type":"reasoning","summary":[{"type":"summary_text","text":"a"}]}"#, nil),
            (#"{"type":"custom_tool_call","call_id":"c","name":"n","input":"image"}"#, nil),
        ] as [(String, Capability?)])
    func items(item: String, capability: Capability?) throws {
        let needs = try needs(item)
        #expect(needs.supports == CapabilitySet([capability].compactMap { $0 }) && !needs.needsAnyMedium)
    }

    @Test("a JSON format needs JSON, and tools need tools")
    func formats() throws {
        #expect(try read(#"{"input":"a","text":{"format":{"type":"json_schema","name":"n"}}}"#).needs.supports == [.json])
        #expect(try read(#"{"input":"a","text":{"verbosity":"low","format":{"type":"text"}}}"#).needs.supports == [])
        #expect(try read(#"{"input":"a","tools":[{"type":"custom","name":"n"}]}"#).needs.supports == [.tools])
    }

    @Test("every text counts, and only reasoning has tokens of providers")
    func texts() throws {
        let long = String(repeating: "word ", count: 100), least = 90
        for item in [
            #"{"role":"user","content":"\#(long)"}"#, #"{"role":"user","content":[{"type":"input_text","text":"\#(long)"}]}"#,
            #"{"type":"function_call","call_id":"c","name":"n","arguments":"\#(long)"}"#,
            #"{"type":"function_call_output","call_id":"c","output":"\#(long)"}"#,
            #"{"type":"custom_tool_call","call_id":"c","name":"n","input":"\#(long)"}"#,
            #"{"type":"local_shell_call","call_id":"c","action":{"command":["\#(long)"]}}"#,
            #"{"type":"reasoning","summary":[{"type":"summary_text","text":"\#(long)"}]}"#,
        ] {
            let needs = try needs(item)
            #expect(needs.promptTokens >= least && !needs.mayHaveTokens, "\(item.prefix(60))")
        }
        #expect(try read(#"{"input":"\#(long)"}"#).needs.promptTokens >= least)
        #expect(try read(#"{"instructions":"\#(long)","input":""}"#).needs.promptTokens >= least)
        #expect(try needs(#"{"type":"reasoning","summary":[],"encrypted_content":"x"}"#).mayHaveTokens)
    }

    @Test(
        "what needs a store is refused by name",
        arguments: [
            ("previous_response_id", #""r""#, true), ("previous_response_id", "null", false), ("conversation", #"{"id":"c"}"#, true),
            ("conversation", "null", false), ("conversation", #""""#, false), ("conversation", "{}", false),
            ("previous_response_id", #""""#, false), ("background", "true", true), ("background", "false", false), ("store", "true", false),
        ])
    func store(name: String, value: String, isRefused: Bool) throws {
        let body = #"{"input":"a","\#(name)":\#(value)}"#
        guard isRefused else {
            _ = try read(body).models
            return
        }
        let error = try #require(throws: APIError.self) { _ = try read(body).models }
        #expect(error.status == 400 && error.param == name)
    }
}
