import Codecs
import OpenAI
import OpenAICompatible
import OpenAIServer
import ProviderConformance
import ProviderKit
import Testing
import WireFormats

/// A server that has only OpenAI's Responses.
private struct ResponsesProvider: OpenAIServerProvider {
    let server = OpenAIServer(.sample, endpoints: OpenAIEndpoint.responses)
}

@Suite("OpenAI's Responses in the plugins for OpenAI's API")
struct OpenAIResponsesPluginTests {
    @Test("a provider of the format passes the conformance suite")
    func conformance() {
        let suite = ProviderConformance(
            provider: ResponsesProvider(),
            responses: [
                .init("a stream", isStream: true, head: .eventStream, bytes: Array(Self.stream.utf8), content: Self.content),
                .init(
                    "a stream with CRLF", isStream: true, head: .eventStream, bytes: Array(Self.stream.replacing("\n", with: "\r\n").utf8)),
                .init("a response", isStream: false, head: .json, bytes: Array(Self.response.utf8), content: Self.content),
                .init("a stream that was not asked for", isStream: false, head: .eventStream, bytes: Array(Self.stream.utf8)),
                .init("a response in the place of a stream", isStream: true, head: .json, bytes: Array(Self.response.utf8)),
            ],
            requests: [
                .body(#"{"input":[]}"#), .body(#"{"model":"auto","input":"Привет 🚀","stream":true,"x":1e999}"#),
                .chat(ChatRequest(messages: [ChatMessage(.system, "Be kind."), ChatMessage(.user, "Привет 🚀")])),
            ],
            failures: [
                .init(
                    "no credit", status: 429, body: #"{"error":{"message":"no credit","code":"insufficient_quota"}}"#, is: .providerRejected
                )
            ],
            failureEvents: [
                "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"it broke\"}\n\n",
                "data: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"server_error\",\"message\":\"it broke\"}}}\n\n",
            ])
        #expect(suite.violations() == [])
    }

    @Test("OpenAI speaks both formats, chat completions first, and other servers the second one if the policy says so")
    func formats() {
        let openAI = OpenAIProvider(.sample), other = OpenAICompatibleProvider(.sample)
        #expect(openAI.formats(for: .chat, model: "m") == [OpenAIChat.format, OpenAIResponses.format, OpenAIResponses.compaction])
        #expect(openAI.formats(for: .countTokens, model: "m") == [OpenAIResponses.format])
        #expect(openAI.optionalFormats(for: .chat, model: "m") == [])
        #expect(other.formats(for: .chat, model: "m") == [OpenAIChat.format] && other.formats(for: .countTokens, model: "m") == [])
        #expect(other.optionalFormats(for: .chat, model: "m") == [OpenAIResponses.format, OpenAIResponses.compaction])
    }

    @Test("the upstream format decides where a request goes, and how it is written")
    func targets() throws {
        let provider = OpenAIProvider(.sample), body = Array(#"{"input":"Hi"}"#.utf8)
        let members = Payload.members(try JSON.members(of: body.span.bytes)), typed = Payload.chat(ChatRequest(messages: []))
        let cases: [(Operation, WireFormat, Payload, String)] = [
            (.chat, OpenAIResponses.format, members, "/responses"), (.chat, OpenAIResponses.format, typed, "/responses"),
            (.chat, OpenAIResponses.compaction, members, "/responses/compact"),
            (.countTokens, OpenAIResponses.format, members, "/responses/input_tokens"),
            (.chat, OpenAIChat.format, members, "/chat/completions"), (.chat, OpenAIChat.format, typed, "/chat/completions"),
        ]
        for (operation, format, payload, path) in cases {
            let call = Call(
                operation: operation, model: "up", isStream: false, format: WireFormat("other"), payload: payload, upstreamFormat: format)
            let request = try provider.request(for: call, body: body.span.bytes)
            #expect(request.target.hasSuffix(path))
            guard case .chat = payload, case .bytes(let written)? = request.body.first else { continue }
            let tree = JSONTree(written.span.bytes)
            #expect((tree?["input"] != nil) == (format == OpenAIResponses.format))
            #expect((tree?["messages"] != nil) == (format == OpenAIChat.format))
        }
    }

    @Test("what a policy adds to chats isn't added where it would be refused")
    func policy() throws {
        let body = Array(#"{"input":"Hi"}"#.utf8)
        let field = [BodyField(key: "temperature", json: Array("0".utf8)), BodyField(key: "instructions", json: Array(#""i""#.utf8))]
        for (operation, format) in [(Operation.countTokens, OpenAIResponses.format), (.chat, OpenAIResponses.compaction)] {
            let call = Call(
                operation: operation, model: "up", isStream: false, format: format,
                payload: .members(try JSON.members(of: body.span.bytes)), defaults: field)
            let sent = try OpenAIResponsesBody().sources(for: call, body: body.span.bytes)
            let text = sent.map { if case .bytes(let bytes) = $0 { String(decoding: bytes, as: UTF8.self) } else { "" } }.joined()
            #expect(text.contains("instructions") && !text.contains("temperature"))
        }
    }

    @Test(
        "encrypted reasoning that OpenAI can't decrypt is repaired by leaving it out, however it came",
        arguments: [
            #""message":"The encrypted content gAAA...xyz could not be verified.","code":"invalid_encrypted_content""#,
            #""message":"The encrypted content could not be decrypted or parsed.","code":null"#,
        ], [Operation.chat, .countTokens])
    func repairs(error: String, operation: Operation) throws {
        let reasoning = #"{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"gAAA"},"#
        let body =
            #"{"model":"a","input":[\#(reasoning){"id":"fc_1","type":"function_call","call_id":"c"},{"id":"i","type":"item_reference"}],"x": 1}"#
        let bytes = Array(body.utf8)
        let members = Payload.members(try JSON.members(of: bytes.span.bytes))
        let repair = try #require(self.repair(operation, members, body, error))
        #expect(!repair.isLasting)
        // An id of OpenAI's says that reasoning stood before the item, which is refused without it.
        let left = #"{"model":"up","input":[{"type":"function_call","call_id":"c"},{"id":"i","type":"item_reference"}],"x": 1}"#
        #expect(try sent(operation, members, bytes, repairs: [repair]) == left)
        #expect(try sent(operation, members, bytes, repairs: []).contains("gAAA"))

        let call = Self.call(operation, .chat(ChatRequest(messages: [])), repairs: [])
        for kind in [OpaqueToken.Kind.signature, .encrypted] {
            let thought = ChatReasoningText(text: "T", token: OpaqueToken("gAAA", kind, madeFor: call))
            let typed = Payload.chat(
                ChatRequest(messages: [
                    ChatMessage(.user, "a"), ChatMessage(.assistant, [ChatPart(.reasoning(thought)), ChatPart(.text("b"))]),
                ]))
            #expect(self.repair(operation, typed, "{}", error) == repair)
            #expect(try sent(operation, typed, [], repairs: []).contains("gAAA"))
            #expect(try !sent(operation, typed, [], repairs: [repair]).contains("reasoning"))
        }
    }

    @Test(
        "no other refusal is repaired, nor a request without reasoning that the provider has made",
        arguments: [
            (#"{"type":"reasoning","encrypted_content":"gAAA"}"#, "max_output_tokens is too large"),
            (#"{"type":"message","role":"user","content":"encrypted content"}"#, "The encrypted content could not be verified."),
            (#"{"type":"reasoning","encrypted_content":"llm-router:other:gAAA"}"#, "The encrypted content could not be verified."),
            (#"{"type":"reasoning","summary":[]}"#, "The encrypted content could not be verified."),
        ])
    func noRepair(item: String, message: String) throws {
        let body = #"{"input":[\#(item)]}"#, bytes = Array(body.utf8)
        #expect(repair(.chat, .members(try JSON.members(of: bytes.span.bytes)), body, #""message":"\#(message)""#) == nil)
    }

    private func repair(_ operation: Operation, _ payload: Payload, _ body: String, _ error: String) -> Repair? {
        let refusal = Array(#"{"error":{\#(error)}}"#.utf8), provider = OpenAIProvider(.sample)
        return provider.repair(
            of: Self.call(operation, payload, repairs: []), body: Array(body.utf8).span.bytes,
            refusedWith: provider.failure(head: UpstreamHead(status: 400), body: refusal.span.bytes), refusal: refusal.span.bytes)
    }

    private func sent(_ operation: Operation, _ payload: Payload, _ body: [UInt8], repairs: [Repair]) throws -> String {
        let request = try OpenAIProvider(.sample).request(for: Self.call(operation, payload, repairs: repairs), body: body.span.bytes)
        return request.body.reduce(into: "") { text, source in
            switch source {
            case .bytes(let bytes): text += String(decoding: bytes, as: UTF8.self)
            case .client(let range): text += String(decoding: body[range], as: UTF8.self)
            }
        }
    }

    private static func call(_ operation: Operation, _ payload: Payload, repairs: [Repair]) -> Call {
        let isTyped = if case .chat = payload { true } else { false }
        return Call(
            operation: operation, model: "up", isStream: false, format: isTyped ? WireFormat("other") : OpenAIResponses.format,
            payload: payload, repairs: repairs, upstreamFormat: OpenAIResponses.format)
    }

    @Test(
        "a failure has its class, as an event and as an object",
        arguments: [
            ("rate_limit_exceeded", FailureClass.rateLimited), ("context_length_exceeded", .contextOverflow),
            ("server_error", .upstreamError), ("insufficient_quota", .providerRejected),
        ])
    func failures(code: String, failure: FailureClass) throws {
        let error = #"{"code":"\#(code)","message":"m"}"#
        let failed = #"{"id":"r","status":"failed","error":\#(error),"output":[]}"#
        for event in [
            #"{"type":"response.failed","response":\#(failed)}"#, #"{"type":"error","code":"\#(code)","message":"m","param":null}"#,
            #"{"type":"response.completed","response":\#(failed)}"#, #"{"error":\#(error)}"#,
        ] {
            var decoder = try ResponsesProvider().decoder(for: Self.call(isStream: true), head: .eventStream), sink = ResponseSink()
            let frame = Array("data: \(event)\n\n".utf8)
            let thrown = #expect(throws: ProviderError.self) { try decoder.decode(frame.span.bytes, into: &sink) }
            #expect(thrown?.failure == failure && thrown?.message == "m", "\(event)")
        }
        var decoder = try ResponsesProvider().decoder(for: Self.call(isStream: false), head: .json), sink = ResponseSink()
        let thrown = #expect(throws: ProviderError.self) { try decoder.finish(Array(failed.utf8).span.bytes, into: &sink) }
        #expect(thrown?.failure == failure)
    }

    @Test(
        "what the router acts on in an event",
        arguments: [
            (#"{"type":"response.output_text.delta","delta":"abc"}"#, Signals(contentBytes: 3)),
            (#"{"type":"response.refusal.delta","delta":"abc"}"#, Signals(contentBytes: 3, isFiltered: true)),
            (#"{"type":"response.reasoning_text.delta","delta":"abc"}"#, Signals(contentBytes: 3)),
            (#"{"type":"response.function_call_arguments.delta","delta":"abc"}"#, Signals(contentBytes: 3, hasToolCall: true)),
            (#"{"type":"response.created","response":{"id":"r"}}"#, Signals()), (#"{"type":"response.new","x":"abc"}"#, Signals()),
            (#"{"type":"response.output_item.added","item":{"type":"message","content":[]}}"#, Signals()),
            (#"{"type":"response.output_item.added","item":{"type":"reasoning","summary":[]}}"#, Signals()),
            (#"{"type":"response.output_item.added","item":{"type":"x"}}"#, Signals(contentBytes: 12, hasToolCall: true)),
            (#"{"type":"response.output_item.done","item":{"type":"reasoning","encrypted_content":"ab"}}"#, Signals(contentBytes: 2)),
            (#"{"type":"response.completed","response":{}}"#, Signals(finishes: 1)),
            (
                #"{"type":"response.incomplete","response":{"incomplete_details":{"reason":"content_filter"}}}"#,
                Signals(finishes: 1, isFiltered: true)
            ),
        ])
    func signals(event: String, expected: Signals) throws {
        var decoder = try ResponsesProvider().decoder(for: Self.call(isStream: true), head: .eventStream), sink = ResponseSink()
        let frame = Array("event: x\ndata: \(event)\n\n".utf8)
        _ = try decoder.decode(frame.span.bytes, into: &sink)
        guard case .chunk(let chunk)? = sink.parts.first else { return #expect(Bool(false), "no chunk") }
        #expect(chunk.signals == expected && chunk.frame == 0..<frame.count)
        #expect(sink.isComplete == (expected.finishes > 0))
    }

    private func decoded(_ text: String, isStream: Bool) throws -> ResponseSink {
        var decoder = try ResponsesProvider().decoder(for: Self.call(isStream: isStream), head: isStream ? .eventStream : .json)
        var sink = ResponseSink()
        let event = #"data: {"type":"response.completed","response":\#(text)}"# + "\n\n", bytes = Array((isStream ? event : text).utf8)
        let consumed = try decoder.decode(bytes.span.bytes, into: &sink)
        try decoder.finish(Array(bytes[consumed...]).span.bytes, into: &sink)
        return sink
    }

    @Test("a completed response with an error that says something has failed", arguments: [true, false])
    func completedFailures(isStream: Bool) throws {
        func response(_ error: String) -> String {
            #"{"id":"r","status":"completed","metadata":{"raw":"invalid api key"},"error":\#(error),"output":[\#(Self.item)]}"#
        }
        for error in [#"{"code":"server_error","message":"x"}"#, #""boom""#] {
            let thrown = #expect(throws: ProviderError.self) { try decoded(response(error), isStream: isStream) }
            #expect(thrown?.failure == .upstreamError)
        }
        for error in ["null", "{}", #"{"code":null,"message":""}"#] {
            #expect(try decoded(response(error), isStream: isStream).isComplete)
        }
    }

    @Test(
        "a total that contradicts the parts counts, also where it shows that reasoning stands beside the output",
        arguments: [
            (#""input_tokens":100,"output_tokens":20,"total_tokens":500"#, 100, 400, true),
            (#""input_tokens":100,"output_tokens":20,"total_tokens":120"#, 100, 20, false),
            (#""input_tokens":100,"output_tokens":20,"total_tokens":127,"output_tokens_details":{"reasoning_tokens":7}"#, 100, 27, false),
            (#""input_tokens":0,"output_tokens":0,"total_tokens":0"#, 0, 0, false),
        ], [true, false])
    func totals(case: (String, Int, Int, Bool), isStream: Bool) throws {
        let response = #"{"id":"r","status":"completed","output":[\#(Self.item)],"usage":{\#(`case`.0)}}"#
        let usage = try #require(try decoded(response, isStream: isStream).usage)
        #expect(usage.promptTokens == `case`.1 && usage.completionTokens == `case`.2 && usage.isInconsistent == `case`.3)
    }

    private static func call(isStream: Bool) -> Call {
        Call(operation: .chat, model: "up", isStream: isStream, format: OpenAIResponses.format, payload: .members([]))
    }

    private static let content = ProviderConformance.Content(
        text: "Hello, мир", finish: .stop, usage: Usage(promptTokens: 3, completionTokens: 5))

    private static let item = #"{"id":"m","type":"message","role":"assistant","content":[{"type":"output_text","text":"Hello, мир"}]}"#

    private static let response =
        #"{"id":"resp_1","object":"response","status":"completed","error":null,"model":"m","output":[\#(item)],"#
        + #""usage":{"input_tokens":3,"output_tokens":5,"total_tokens":8}}"#

    private static let stream = [
        #"{"type":"response.created","response":{"id":"resp_1","status":"in_progress","output":[]}}"#,
        #"{"type":"response.output_item.added","output_index":0,"item":{"id":"m","type":"message","content":[]}}"#,
        #"{"type":"response.output_text.delta","output_index":0,"delta":"Hello, "}"#,
        #"{"type":"response.output_text.delta","output_index":0,"delta":"мир"}"#,
        #"{"type":"response.output_item.done","output_index":0,"item":\#(item)}"#,
        #"{"type":"response.completed","response":\#(response)}"#,
    ].map { "event: \($0.split(separator: "\"")[3])\ndata: \($0)\n\n" }.joined()
}
