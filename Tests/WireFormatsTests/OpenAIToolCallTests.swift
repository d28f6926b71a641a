import Codecs
import ProviderKit
import Testing

@testable import WireFormats

/// What servers make of OpenAI's tool calls, read as typed events, and folded into one response.
@Suite("tool calls of servers with OpenAI's chat format")
struct OpenAIToolCallTests {
    private func chunk(_ calls: String, reason: String = "null") -> String {
        #"{"choices":[{"index":0,"delta":{"tool_calls":[\#(calls)]},"finish_reason":\#(reason)}]}"#
    }

    private func events(_ chunks: [String], _ call: Call = .translated(to: "m", isStream: true)) throws -> [ChatEvent] {
        var decoder = try OpenAIChat.decoder(for: call, head: UpstreamHead(status: 200, bodyForm: .eventStream))
        var sink = ResponseSink()
        let stream = (chunks.map { "data: \($0)\n\n" } + ["data: [DONE]\n\n"]).joined()
        _ = try decoder.decode(Array(stream.utf8).span.bytes, into: &sink)
        #expect(sink.isComplete)
        return sink.parts.compactMap { if case .event(let event) = $0 { event } else { nil } }
    }

    private func calls(_ events: [ChatEvent]) -> [ChatToolCall] {
        var calls: [ChatToolCall] = []
        for event in events {
            switch event {
            case .toolCall(let index, let id, let name):
                #expect(index == calls.count)
                calls.append(ChatToolCall(id: id, name: name, arguments: ""))
            case .toolArguments(let index, let fragment): calls[index].arguments += fragment
            default: break
            }
        }
        return calls
    }

    private func folded(_ chunks: [String]) -> String {
        var fold = ChunkFold()
        for chunk in chunks { fold.add(Array(chunk.utf8).span.bytes) }
        return String(decoding: fold.completion, as: UTF8.self)
    }

    @Test(
        "a new id begins a call, whatever its index is",
        arguments: [#""index":0,"#, ""])
    func indices(index: String) throws {
        let chunks = [
            chunk(#"{\#(index)"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\""}}"#),
            chunk(#"{\#(index)"function":{"arguments":":1}"}}"#),
            chunk(#"{\#(index)"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}"#),
        ]
        let expected = [ChatToolCall(id: "a", name: "f", arguments: #"{"x":1}"#), ChatToolCall(id: "b", name: "g", arguments: "{}")]
        #expect(try calls(events(chunks)) == expected)
        #expect(
            folded(chunks).contains(
                #""tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]"#
            ))
    }

    @Test(
        "a call without an id gets one that no other call of the conversation has, and that differs from response to response",
        arguments: [
            #""tool_calls":[{"index":0,"id":"","function":{"name":"f","arguments":"{}"}},{"index":1,"function":{"name":"f","arguments":"{}"}}]"#,
            #""function_call":{"name":"f","arguments":"{}"}"#,
        ])
    func madeIDs(delta: String) throws {
        func ids(after history: [String] = [], _ response: String = "") throws -> [String] {
            let parts = history.map { ChatPart(.toolCall(ChatToolCall(id: $0, name: "f", arguments: "{}"))) }
            let call = Call(
                operation: .chat, model: "m", isStream: true, format: WireFormat("other"),
                payload: .chat(ChatRequest(messages: [ChatMessage(.assistant, parts)])), provider: "p")
            return try calls(events([#"{\#(response)"choices":[{"index":0,"delta":{\#(delta)}}]}"#], call)).map(\.id)
        }
        var history = ["x", "call_", "call_7", "call_3", "call_99999999999999999999"]
        for _ in 0..<3 { try history += ids(after: history) }
        let named = try ["chatcmpl-1", "chatcmpl-2", String(repeating: "long", count: 99)].flatMap {
            try ids(after: [], #""id":"\#($0)","#)
        }
        #expect(Set(history + named).count == history.count + named.count, "\(history) \(named)")
        #expect(named.allSatisfy { $0.wholeMatch(of: /call_[a-z0-9_]{1,35}/) != nil }, "\(named)")
    }

    @Test("an id that changes from delta to delta, without a name, begins none")
    func changingIDs() throws {
        let chunks = [
            chunk(#"{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}"#),
            chunk(#"{"index":0,"id":"b","function":{"arguments":"}"}}"#),
        ]
        #expect(try calls(events(chunks)) == [ChatToolCall(id: "a", name: "f", arguments: "{}")])
    }

    @Test("a name may follow the id, and arguments may be an object")
    func oddCalls() throws {
        let late = [
            chunk(#"{"index":0,"id":"a","function":{"arguments":"{\"x\""}}"#),
            chunk(#"{"index":0,"function":{"name":"f","arguments":":1}"}}"#),
        ]
        #expect(try calls(events(late)) == [ChatToolCall(id: "a", name: "f", arguments: #"{"x":1}"#)])
        let object = [chunk(#"{"index":0,"id":"a","function":{"name":"f","arguments":{"x":[1]}}}"#)]
        #expect(try calls(events(object)) == [ChatToolCall(id: "a", name: "f", arguments: #"{"x":[1]}"#)])
        let nameless = [chunk(#"{"index":0,"id":"a","function":{"arguments":"{}"}}"#)]
        #expect(try calls(events(nameless)) == [ChatToolCall(id: "a", name: "", arguments: "{}")])
    }

    @Test("a name that is too long is sent shortened, and read back as it is")
    func longNames() throws {
        let name = String(repeating: "mcp__server__tool_", count: 5), other = name + "2"
        var chat = ChatRequest(messages: [
            ChatMessage(.assistant, [ChatPart(.toolCall(ChatToolCall(id: "a", name: name, arguments: "{}")))])
        ])
        chat.tools = [ChatTool(name: name), ChatTool(name: other), ChatTool(name: "short")]
        chat.toolChoice = .tool(name)
        let sent = String(decoding: try OpenAIChat.writeRequest(chat, for: .translated(to: "m"), OpenAIDialect()), as: UTF8.self)
        #expect(!sent.contains(name))
        let names = sent.split(separator: #""name":""#).dropFirst().map { $0.prefix { $0 != "\"" } }
        #expect(names.allSatisfy { $0.utf8.count <= 64 } && Set(names).count == 3 && names.contains("short"), "\(names)")
        #expect(names.count { $0 == names.first } == 3, "the tool, its choice and its call have one name: \(names)")
        let call = Call(
            operation: .chat, model: "m", isStream: true, format: WireFormat("other"), payload: .chat(chat), provider: "p")
        let response = chunk(#"{"index":0,"id":"b","function":{"name":"\#(names[0])","arguments":"{}"}}"#)
        #expect(try calls(events([response], call)) == [ChatToolCall(id: "b", name: name, arguments: "{}")])
    }

    @Test("a streamed call without arguments has an empty object, as one that isn't streamed")
    func noArguments() {
        let events: [ChatEvent] = [
            .toolCall(index: 0, id: "a", name: "f"), .toolCall(index: 1, id: "b", name: "g"),
            .toolArguments(index: 1, fragment: "{\"x\":1}"),
            .finish(.toolCalls),
        ]
        var writer = OpenAIChunkWriter(id: "r", created: 1, model: "m"), fold = ChunkFold()
        for event in events { if let chunk = writer.chunk(event) { fold.add(chunk.span.bytes) } }
        let streamed = String(decoding: fold.completion, as: UTF8.self)
        #expect(streamed.contains(#""name":"f","arguments":"{}""#), "\(streamed)")
        #expect(streamed.contains(#""name":"g","arguments":"{\"x\":1}""#), "\(streamed)")
    }
}
