import ProviderKit
import Testing

@testable import WireFormats

/// Clients write members that say nothing, such as the default values of a protocol buffer.
@Suite("a member of a request that says nothing")
struct EmptyMembersTests {
    /// A format with a minimal request, and members of it that say nothing.
    struct Format: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let read: @Sendable (String) throws -> ChatRequest
        let request: String
        let empty: [String]
    }

    static let formats = [
        Format(
            testDescription: "Messages", read: { try AnthropicMessages.readRequest(Array($0.utf8).span.bytes) },
            request: #""max_tokens":9,"messages":[{"role":"user","content":"Hi"}]"#,
            empty: [
                #""mcp_servers":[]"#, #""mcp_servers":null"#, #""output_format":{}"#, #""output_config":{"format":{}}"#,
                #""output_config":{"format":null,"effort":""}"#, #""tools":[]"#, #""system":"""#, #""metadata":{}"#,
                #""stop_sequences":[]"#,
            ]),
        Format(
            testDescription: "generateContent", read: { try Gemini.readRequest(Array($0.utf8).span.bytes) },
            request: #""contents":[{"role":"user","parts":[{"text":"Hi"}]}]"#,
            empty: [
                #""cachedContent":"""#, #""cached_content":"""#, #""generationConfig":{"responseMimeType":""}"#, #""tools":[{}]"#,
                #""tools":[{"functionDeclarations":[]}]"#, #""tools":[{"functionDeclarations":[],"googleSearch":null}]"#,
                #""toolConfig":{"functionCallingConfig":{"mode":""}}"#,
                #""generationConfig":{"thinkingConfig":{"thinkingLevel":""}}"#, #""generationConfig":{"responseModalities":[]}"#,
            ]),
        Format(
            testDescription: "Responses", read: { try OpenAIResponses.readRequest(Array($0.utf8).span.bytes) },
            request: #""input":"Hi""#,
            empty: [
                #""prompt":{}"#, #""prompt":"""#, #""tools":[]"#, #""include":[]"#, #""text":{}"#, #""text":{"format":{}}"#,
                #""text":{"format":{"type":""}}"#, #""reasoning":{"effort":""}"#, #""reasoning":{}"#, #""tool_choice":"""#,
                #""tool_choice":{}"#,
            ]),
        Format(
            testDescription: "/api/chat", read: { try OllamaChat.readRequest(Array($0.utf8).span.bytes) },
            request: #""messages":[{"role":"user","content":"Hi"}]"#,
            empty: [#""format":"""#, #""format":{}"#, #""tools":[]"#, #""options":{}"#]),
    ]

    @Test("is none", arguments: formats)
    func empty(format: Format) throws {
        let request = try format.read("{\(format.request)}")
        for member in format.empty {
            let read = try? format.read("{\(format.request),\(member)}")
            #expect(read == request, "\(member)")
        }
    }
}
