import Engine
import ProviderKit
import RoutingPolicy
import Testing

@testable import Gateway

@Suite("the needs of a chat request")
struct ChatNeedsTests {
    private func needs(_ body: String) throws -> RequestNeeds { try readChat(body).needs }

    private func needs(content: String) throws -> RequestNeeds { try needs("{\"messages\":[{\"role\":\"user\",\"content\":\(content)}]}") }

    private func tokens(content: String) throws -> Int { try needs(content: content).promptTokens }

    @Test(
        "the type of a message part decides which capability it needs",
        arguments: [
            ("text", nil), ("input_text", nil), ("refusal", nil), ("thinking", nil), ("tool_result", nil), ("image_url", .image),
            ("input_image", .image), ("image", .image),
            ("image_embeds", .image), ("input_audio", .audio), ("audio_url", .audio), ("audio_embeds", .audio), ("video_url", .video),
            ("input_video", .video),
            ("video", .video), ("audio", .audio), ("image_file", .image), ("document", .file), ("document_url", .file), ("pdf", .file),
            ("file", .file), ("input_file", .file), (#"im\u0061ge_url"#, .image), ("imageUrl", .image), ("IMAGE_URL", .image),
            ("image/png", .image), ("audio/wav", .audio), ("video/mp4", .video), ("application/pdf", .file), ("Image/JPEG", .image),
            ("Text", nil), ("text/plain", nil),
        ] as [(String, Capability?)])
    func parts(type: String, capability: Capability?) throws {
        let expected = CapabilitySet([capability].compactMap { $0 })
        #expect(try needs(content: "[{\"type\":\"\(type)\"}]").supports == expected)
        #expect(try needs(content: "[{\"type\":\"text\",\"text\":\"a\"},{\"x\":{},\"type\":\"\(type)\"}]").supports == expected)
        #expect(try needs(content: "{\"type\":\"\(type)\"}").supports == expected)
    }

    @Test(
        "a part of an unknown type needs a medium, and text does not",
        arguments: [("point_cloud", true), ("media", true), ("model/gltf-binary", true), ("text", false)])
    func unknownParts(type: String, isNeeded: Bool) throws {
        let needs = try needs(content: "[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"\(type)\"}]")
        #expect(needs.needsAnyMedium == isNeeded)
        #expect(needs.supports.isEmpty)
    }

    @Test(
        "a part whose type says nothing needs the medium that its members name, and any medium if they name none",
        arguments: [
            (#""image_url":{"url":"x"}"#, CapabilitySet([.image]), false), (#""image":"x""#, [.image], false),
            (#""video":["x"]"#, [.video], false), (#""input_audio":{"data":"AA","format":"wav"}"#, [.audio], false),
            (#""inline_data":{"data":"AA","mime_type":"image/png"}"#, [.image], false),
            (#""inlineData":{"mimeType":"audio/mp3","data":"AA"}"#, [.audio], false),
            (#""file_data":{"file_uri":"x","mime_type":"video/mp4"}"#, [.video], false),
            (#""fileData":{"fileUri":"x","mimeType":"application/pdf"}"#, [.file], false),
            (#""fileData":{"fileUri":"x"}"#, [.file], false), (#""inlineData":{"data":"AA","mimeType":"text/csv"}"#, [.file], false),
            (#""source":{"type":"base64","media_type":"image/png","data":"AA"}"#, [.image], false),
            (#""mime_type":"image/png","data":"AA""#, [.image], false), (#""text":"a","image_url":{"url":"x"}"#, [.image], false),
            (#""inline_data":{"data":"AA"}"#, [], true), (#""inline_data":{"data":"AA","mime_type":"model/stl"}"#, [], true),
            (#""x":1"#, [], true), (#""image_url":null"#, [], true), (#""text":"a""#, [], false),
            (#""text":"a","image_url":null"#, [], false), (#""text":"a","cache_control":{"kind":"x"}"#, [], false),
            (#""content":[{"type":"text","text":"a"}]"#, [], false),
        ] as [(String, CapabilitySet, Bool)], ["", #""type":null,"#, #""type":7,"#, #""type":"","#, #""type":["x"],"#])
    func partsWithoutType(_ part: (members: String, expected: CapabilitySet, needsAnyMedium: Bool), type: String) throws {
        let needs = try needs(content: "[{\(type)\(part.members)}]")
        #expect(needs.supports == part.expected && needs.needsAnyMedium == part.needsAnyMedium)
    }

    @Test("an empty part needs any medium", arguments: ["{}", #"{"type":7}"#, #"{"type":null}"#])
    func emptyParts(part: String) throws {
        #expect(try needs(content: "[\(part)]").needsAnyMedium)
    }

    @Test("if its type is unknown, a part needs the medium that its members name")
    func unknownTypes() throws {
        let needs = try needs(content: #"[{"type":"media","mime_type":"image/png","data":"AA"}]"#)
        #expect(needs.supports == [.image] && !needs.needsAnyMedium)
        #expect(try self.needs(content: #"[{"type":"hologram","text":"a"}]"#).needsAnyMedium)
    }

    @Test("an image counts in any message, and in nested content")
    func nested() throws {
        let image = #"{"image_url":{"url":"https://a/b.png"},"type":"image_url"}"#
        #expect(try needs(content: #"[{"type":"tool_result","content":[{"type":"text","text":"a"},\#(image)]}]"#).supports == [.image])
        #expect(
            try needs(#"{"messages":[{"role":"user","content":"a"},{"content":[\#(image)],"role":"user"},{"role":"user","content":"b"}]}"#)
                .supports == [.image])
        #expect(try needs(#"{"messages":[{"role":"user","content":[\#(image)],"content":"b"}]}"#).supports == [.image])
    }

    @Test(
        "text and other members that mention images need no image support",
        arguments: [
            #"{"messages":[{"role":"user","content":"{\"type\":\"image_url\"}"}]}"#,
            #"{"messages":[{"role":"user","content":[{"type":"text","text":"image_url","image_url":"x"}]}]}"#,
            #"{"messages":[{"role":"user","type":"image_url","content":"a"}]}"#,
            #"{"messages":[{"role":"user","content":[{"type":"text","cache_control":{"type":"image_url"}}]}]}"#,
            #"{"metadata":[{"type":"image_url"}],"messages":[{"role":"image_url"}],"type2":"image_url"}"#,
            #"{"messages":[{"role":"user","content":[{"type":["image_url"]}]}]}"#,
        ])
    func noImage(body: String) throws {
        #expect(try needs(body).supports.isEmpty)
    }

    @Test(
        "a non-empty list of tools needs tool support, whatever tool_choice is",
        arguments: [
            (#"{"tools":[{"type":"function","function":{"name":"f"}}]}"#, true), (#"{"functions":[{"name":"f"}]}"#, true),
            (#"{"tools":[{"type":"function"}],"tool_choice":"none"}"#, true), (#"{"tools":[{}]}"#, false),
            (#"{"tools":[]}"#, false), (#"{"tools":[ \#n ]}"#, false), (#"{"functions":[]}"#, false), (#"{"tool_choice":"auto"}"#, false),
            (#"{"tools":null}"#, false),
        ])
    func tools(body: String, isNeeded: Bool) throws {
        #expect(try needs(body).supports == (isNeeded ? [.tools] : []))
    }

    @Test(
        "a JSON response format needs JSON support",
        arguments: [
            (#"{"type":"json_object"}"#, true), (#"{"type":"json_schema","json_schema":{}}"#, true), (#"{"type":"text"}"#, false),
            ("{}", false), ("null", false),
        ])
    func json(format: String, isNeeded: Bool) throws {
        #expect(try needs("{\"response_format\":\(format)}").supports == (isNeeded ? [.json] : []))
    }

    @Test(
        "max_completion_tokens takes precedence over max_tokens, in any order",
        arguments: [
            (#"{"max_tokens":5}"#, 5), (#"{"max_completion_tokens":7,"max_tokens":5}"#, 7),
            (#"{"max_tokens":5,"max_completion_tokens":7}"#, 7),
            (#"{"max_tokens":5,"max_completion_tokens":null}"#, 5), (#"{"max_tokens":5,"max_completion_tokens":0}"#, 5),
            (#"{"max_tokens":null}"#, nil),
        ])
    func maxTokens(body: String, expected: Int?) throws {
        #expect(try needs(body).maxTokens == expected)
    }

    @Test("a text costs the same tokens as a string, as a part and in nested parts")
    func text() throws {
        let text = "What does this function do, and why is it slow?"
        let plain = try tokens(content: "\"\(text)\"")
        #expect(plain > TokenEstimate.ofMessage + TokenEstimate.ofReply + 8)
        #expect(try tokens(content: "[{\"type\":\"text\",\"text\":\"\(text)\"}]") == plain)
        #expect(try tokens(content: "[{\"type\":\"tool_result\",\"content\":[{\"text\":\"\(text)\"}]}]") == plain)
        #expect(try tokens(content: "null") == TokenEstimate.ofMessage + TokenEstimate.ofReply)
    }

    @Test("media and their addresses do not count as text")
    func media() throws {
        let data = String(repeating: "iVBORw0KGgo", count: 1000)
        let bare = try tokens(content: "[{\"type\":\"text\",\"text\":\"a\"}]")
        for part in [
            "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,\(data)\"}}",
            "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"\(data)\"}}",
            "{\"type\":\"file\",\"file\":{\"filename\":\"a.pdf\",\"file_data\":\"\(data)\"}}",
            "{\"type\":\"image\",\"source\":{\"data\":\"\(data)\"}}",
        ] {
            #expect(try tokens(content: "[{\"type\":\"text\",\"text\":\"a\"},\(part)]") == bare)
        }
    }

    @Test("names, tool calls with their arguments, and tools count as prompt tokens")
    func callsAndTools() throws {
        let bare = try needs(#"{"messages":[{"role":"assistant"}]}"#).promptTokens
        let named = try needs(#"{"messages":[{"role":"assistant","name":"Ada"}]}"#).promptTokens
        #expect(named > bare)
        let call = #"{"id":"call_1","type":"function","function":{"name":"look_up","arguments":"{\"city\":\"Paris\"}"}}"#
        let called = try needs(#"{"messages":[{"role":"assistant","tool_calls":[\#(call)]}]}"#).promptTokens
        #expect(called >= bare + TokenEstimate.ofCall + 6)
        #expect(
            try needs(#"{"messages":[{"role":"assistant","tool_calls":[\#(call),\#(call)]}]}"#).promptTokens >= called
                + TokenEstimate.ofCall + 6)
        let legacy = try needs(
            #"{"messages":[{"role":"assistant","function_call":{"name":"look_up","arguments":"{\"city\":\"Paris\"}"}}]}"#
        ).promptTokens
        #expect(legacy == called)
        let tools = #"[{"type":"function","function":{"name":"look_up","parameters":{"type":"object"}}}]"#
        #expect(try needs(#"{"tools":\#(tools)}"#).promptTokens >= 20)
        #expect(try needs(#"{"functions":\#(tools)}"#).promptTokens == needs(#"{"tools":\#(tools)}"#).promptTokens)
    }

    @Test("10,000 equal messages cost 10,000 times as much as one")
    func linear() throws {
        let message = #"{"role":"user","content":"0123456789 some words that make up a message of about one hundred bytes, all told"}"#
        func body(_ count: Int) -> String { "{\"messages\":[\(Array(repeating: message, count: count).joined(separator: ","))]}" }
        let one = try needs(body(1)).promptTokens - TokenEstimate.ofReply
        let all = try needs(body(10_000)).promptTokens - TokenEstimate.ofReply
        // The sum is rounded once, not once per message.
        #expect(all <= one * 10_000 && all > (one - 1) * 10_000)
    }
}
