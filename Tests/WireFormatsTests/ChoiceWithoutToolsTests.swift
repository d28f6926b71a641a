import ProviderKit
import Testing

@testable import WireFormats

@Suite("a choice among no tools")
struct ChoiceWithoutToolsTests {
    /// A format with a minimal request, the choices that need a tool, and those that need none.
    struct Format: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let read: @Sendable (String) throws -> ChatRequest
        let request: String
        let forced: [String]
        let free: [String]
    }

    static let formats = [
        Format(
            testDescription: "chat completions", read: { try OpenAIChat.readRequest(Array($0.utf8).span.bytes) },
            request: #""messages":[]"#,
            forced: [
                #""tool_choice":"required""#, #""tool_choice":"required","tools":[]"#,
                #""tool_choice":{"type":"function","function":{"name":"f"}}"#, #""function_call":{"name":"f"}"#,
                #""tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"function":{"name":"f"}}]}}"#,
            ],
            free: [#""tool_choice":"auto""#, #""tool_choice":"none","parallel_tool_calls":true"#, #""function_call":"auto""#]),
        Format(
            testDescription: "Responses", read: { try OpenAIResponses.readRequest(Array($0.utf8).span.bytes) }, request: #""input":"Hi""#,
            forced: [
                #""tool_choice":"required""#, #""tool_choice":{"type":"function","name":"f"}"#, #""tool_choice":{"type":"local_shell"}"#,
                #""tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"}]}"#,
            ],
            free: [#""tool_choice":"auto""#, #""tool_choice":"none""#]),
        Format(
            testDescription: "Messages", read: { try AnthropicMessages.readRequest(Array($0.utf8).span.bytes) }, request: #""messages":[]"#,
            forced: [#""tool_choice":{"type":"any"}"#, #""tool_choice":{"type":"tool","name":"f"}"#],
            free: [#""tool_choice":{"type":"auto","disable_parallel_tool_use":true}"#, #""tool_choice":{"type":"none"}"#]),
        Format(
            testDescription: "generateContent", read: { try Gemini.readRequest(Array($0.utf8).span.bytes) }, request: #""contents":[]"#,
            forced: [
                #""toolConfig":{"functionCallingConfig":{"mode":"ANY"}}"#,
                #""toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}}"#,
            ],
            free: [#""toolConfig":{"functionCallingConfig":{"mode":"AUTO"}}"#, #""toolConfig":{"functionCallingConfig":{"mode":"NONE"}}"#]),
    ]

    @Test("is refused if it needs a tool", arguments: formats)
    func choices(format: Format) {
        for member in format.forced {
            #expect(throws: ProviderError.self, "\(member)") { try format.read("{\(format.request),\(member)}") }
        }
        for member in format.free {
            #expect(throws: Never.self, "\(member)") { try format.read("{\(format.request),\(member)}") }
        }
    }
}
