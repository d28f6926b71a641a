import Engine
import HTTPWire
import ProviderKit
import RoutingPolicy
import Testing

@testable import Gateway

@Suite("what the router reads of a request in Ollama's format")
struct OllamaOutlineTests {
    private func read(_ body: String, _ headers: [String] = []) throws -> RequestOutline {
        try RequestOutline(Array(body.utf8).span.bytes, .ollama, fields: headerFields(headers), streamsByDefault: true)
    }

    @Test(
        "a response is streamed unless 'stream' is false",
        arguments: [("{}", true), (#"{"stream":null}"#, true), (#"{"stream":true}"#, true), (#"{"stream":false}"#, false)])
    func streams(body: String, isStream: Bool) throws {
        #expect(try read(body).isStream == isStream)
        #expect(try RequestOutline(Array(body.utf8).span.bytes, .ollama).isStream == body.contains("true"))
    }

    @Test(
        "images, tools and a format need a model with them",
        arguments: [
            (#"{"messages":[{"role":"user","content":"a","images":["iVBORw0KGgo="]}]}"#, [Capability.image]),
            (#"{"messages":[{"role":"user","content":"a","images":["UklGRiQAAABXQVZFZm10IA=="]}]}"#, [.audio]),
            (#"{"messages":[{"role":"user","content":"a","images":["UklGRiQAAABXRUJQVlA4IA==", "SUQzBAA="]}]}"#, [.image, .audio]),
            (#"{"messages":[{"role":"user","content":"a","images":[]}]}"#, []),
            (#"{"messages":[{"role":"user","content":"a","images":null}]}"#, []), (#"{"prompt":"a","images":["x"]}"#, [.image]),
            (#"{"tools":[{"type":"function"}]}"#, [.tools]), (#"{"tools":[]}"#, []), (#"{"format":"json"}"#, [.json]),
            (#"{"format":{"type":"object"}}"#, [.json]), (#"{"format":""}"#, []), (#"{"format":null}"#, []),
        ])
    func capabilities(body: String, needed: [Capability]) throws {
        #expect(try read(body).needs.supports == CapabilitySet(needed))
    }

    @Test("images that a model has made, which are objects in other formats, need nothing")
    func madeImages() throws {
        let body = #"{"messages":[{"role":"assistant","content":"a","images":[{"type":"image_url","image_url":{"url":"data:"}}]}]}"#
        #expect(try readChat(body).needs.supports == [])
    }

    @Test(
        "the limit of the response is in the options, where negative numbers are no limit",
        arguments: [("99", 99), ("-1", nil), ("-2", nil), ("0", nil), ("null", nil), (#""9""#, nil)] as [(String, Int?)])
    func maxTokens(limit: String, expected: Int?) throws {
        #expect(try read(#"{"options":{"num_predict":\#(limit)}}"#).needs.maxTokens == expected)
    }

    @Test("the texts of a prompt, a system prompt, thinking and tool calls count")
    func tokens() throws {
        let text = String(repeating: "many words ", count: 50)
        let few = try read(#"{"messages":[{"role":"user","content":"a"}]}"#).needs.promptTokens
        for body in [
            #"{"prompt":"\#(text)"}"#, #"{"prompt":"a","system":"\#(text)"}"#, #"{"input":["\#(text)"]}"#,
            #"{"messages":[{"role":"assistant","content":"","thinking":"\#(text)"}]}"#,
            #"{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{"a":"\#(text)"}}}]}]}"#,
        ] {
            #expect(try read(body).needs.promptTokens > few + 60, "\(body.prefix(40))")
        }
    }

    @Test("routing overrides come in header fields only")
    func overrides() throws {
        let request = try read(#"{"model":"a","tags":"x","options":{}}"#, ["x-router-tags: y"])
        #expect(request.overrides?.fields.tags != nil)
        guard case .members(let members) = request.payload else { return #expect(Bool(false), "no members") }
        #expect(members.count == 3)
    }

    @Test("a member that is given twice is refused by name", arguments: ["model", "messages", "stream", "options", "format", "images"])
    func duplicates(name: String) throws {
        let error = #expect(throws: APIError.self) { try read(#"{"\#(name)":null,"\#(name)":null}"#) }
        #expect(error?.param == name)
    }
}
