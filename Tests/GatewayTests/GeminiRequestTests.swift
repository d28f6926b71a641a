import Codecs
import Engine
import ProviderKit
import RoutingPolicy
import Testing

@testable import Gateway

@Suite("what the router reads of a request in Gemini's format")
struct GeminiRequestTests {
    private func read(_ body: String, model: String = "a", isStream: Bool = false, _ headers: [String] = []) throws -> RequestOutline {
        let bytes = Array(body.utf8)
        return try RequestOutline(
            bytes.span.bytes, .gemini, path: RequestOutline.Path(model: model, isStream: isStream), fields: headerFields(headers))
    }

    private func needs(_ parts: String) throws -> RequestNeeds { try read(#"{"contents":[{"role":"user","parts":[\#(parts)]}]}"#).needs }

    @Test("the path names the model, with or without 'models/', and says whether to stream")
    func path() throws {
        #expect(try read("{}", model: "models/a").models == ["a"])
        #expect(try read("{}", model: "a/b, c").models == ["a/b", "c"])
        #expect(try read("{}", isStream: true).isStream)
        let request = try read(#"{"model":"other","stream":true,"tags":"x"}"#, ["x-router-tags: fast"])
        #expect(request.models == ["a"] && !request.isStream)
        #expect(request.overrides?.fields.tags != nil)
        guard case .members(let members) = request.payload else { return #expect(Bool(false), "no members") }
        #expect(members.count == 3)
    }

    @Test("a member is refused in two spellings at once, as in one")
    func duplicates() {
        for body in [#"{"contents":[],"contents":[]}"#, #"{"system_instruction":{},"systemInstruction":{}}"#] {
            let error = #expect(throws: APIError.self) { try read(body) }
            #expect(error?.code == "duplicate_field")
        }
    }

    @Test(
        "media and tools need capabilities, and text, calls and results don't",
        arguments: [
            (#"{"text":"a"}"#, nil), (#"{"functionCall":{"name":"f","args":{}}}"#, nil),
            (#"{"functionResponse":{"name":"f","response":{"output":"x"}}}"#, nil), (#"{"thought":true,"text":"x"}"#, nil),
            (#"{"inlineData":{"mimeType":"image/png","data":"AAAA"}}"#, .image),
            (#"{"inline_data":{"data":"AAAA","mime_type":"audio/wav"}}"#, .audio),
            (#"{"fileData":{"mimeType":"video/mp4","fileUri":"x"}}"#, .video), (#"{"fileData":{"fileUri":"x"}}"#, .file),
            (#"{"functionResponse":{"name":"f","parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}}"#, .image),
            ("7", nil), (#"{"inlineData":7}"#, nil),
        ] as [(String, Capability?)])
    func capabilities(part: String, capability: Capability?) throws {
        let needs = try needs(part)
        #expect(needs.supports == CapabilitySet([capability].compactMap { $0 }) && !needs.needsAnyMedium)
    }

    @Test(
        "a list of tools without any needs none",
        arguments: [
            ("[]", false), ("[{}]", false), (#"[{"functionDeclarations":[]}]"#, false), (#"[{},{"functionDeclarations":null}]"#, false),
            (#"[{"googleSearch":{}}]"#, true), (#"[{},{"functionDeclarations":[{"name":"f"}]}]"#, true),
        ])
    func emptyTools(tools: String, needsTools: Bool) throws {
        #expect(try read(#"{"contents":[],"tools":\#(tools)}"#).needs.supports.contains(.tools) == needsTools)
    }

    @Test("tools, JSON and the limit of the response are read, in either spelling")
    func configuration() throws {
        for (config, limit, type) in [
            ("generationConfig", "maxOutputTokens", "responseMimeType"), ("generation_config", "max_output_tokens", "response_mime_type"),
        ] {
            let needs = try read(#"{"tools":[{"googleSearch":{}}],"\#(config)":{"\#(limit)":9,"\#(type)":"application/json"}}"#).needs
            #expect(needs.maxTokens == 9 && needs.supports == [.tools, .json])
        }
        #expect(try read(#"{"generationConfig":7,"contents":7,"systemInstruction":7,"requests":7}"#).needs.supports == [])
    }

    @Test("all texts count as tokens, and data doesn't")
    func tokens() throws {
        let text = String(repeating: "word ", count: 100)
        let one = try needs(#"{"text":"\#(text)"}"#).promptTokens
        #expect(one > 90)
        #expect(try needs(#"{"text":"a"},{"inlineData":{"mimeType":"image/png","data":"\#(text)"}}"#).promptTokens < 20)
        #expect(try needs(#"{"functionResponse":{"name":"f","response":{"x":"\#(text)"}}}"#).promptTokens > 90)
        let system = #"{"systemInstruction":{"parts":[{"text":"\#(text)"}]},"contents":[]}"#
        #expect(try read(system).needs.promptTokens > 90)
        #expect(try read(#"{"generateContentRequest":\#(system)}"#).needs.promptTokens > 90)
        #expect(try read(#"{"contents":"\#(text)"}"#).needs.promptTokens > 90)
    }

    @Test("of several texts to embed, the longest must fit")
    func embeddings() throws {
        let text = String(repeating: "word ", count: 100)
        let part = #"{"content":{"parts":[{"text":"\#(text)"}]}}"#
        let needs = try read(#"{"requests":[\#(part),\#(part)]}"#).needs
        #expect(needs.promptTokens > 180)
        #expect(needs.contextTokens.map { $0 < 150 } == true)
        #expect(try read(part).needs.promptTokens > 90)
    }

    @Test("only reasoning with a signature may have a provider's token")
    func tokensOfProviders() throws {
        #expect(try !needs(#"{"text":"a"}"#).mayHaveTokens)
        #expect(try needs(#"{"functionCall":{"name":"f"},"thoughtSignature":"c2ln"}"#).mayHaveTokens)
    }
}
