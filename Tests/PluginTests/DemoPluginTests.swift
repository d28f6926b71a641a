import Codecs
import ConfigTree
import Demo
import ProviderConformance
import ProviderKit
import Testing
import WireFormats

@Suite("the demo plugin")
struct DemoPluginTests {
    @Test("the provider passes the conformance suite")
    func conformance() throws {
        let responses = try [("a stream", true, "{}"), ("a non-streamed response", false, "{}"), ("a tool call", true, Self.toolChoice)].map
        { name, isStream, more in
            let response = try response(to: "Привет 🚀, как дела", isStream: isStream, more: more)
            return ProviderConformance.RecordedResponse(
                name, isStream: isStream, head: response.head, bytes: response.chunks.flatMap(\.bytes))
        }
        #expect(ProviderConformance(provider: try provider(), responses: responses, requests: []).violations() == [])
    }

    @Test("the response contains the question unchanged, in the configured number of chunks", arguments: [1, 3, 7, 50])
    func text(chunks: Int) throws {
        let question = "Привет 🚀 👨‍👩‍👧 \"quoted\" \\ and\nlines"
        let response = try response(to: question, isStream: true, ["chunks": "\(chunks)"])
        #expect(response.chunks.count == chunks + 1)
        #expect(try read(response).text == "You said: \(question)")
    }

    @Test("a request for log probabilities gets those of each word, the likeliest first, also of a chunk of several words")
    func logprobs() throws {
        for chunks in [nil, "1"] {
            let body = #"{"messages":[{"role":"user","content":"a b"}],"logprobs":true,"top_logprobs":2}"#
            let response = try response(body: body, isStream: true, chunks.map { ["chunks": $0] } ?? [:])
            let tokens = try read(response).events.compactMap { if case .logprobs(let tokens) = $0 { tokens } else { nil } }
            #expect(tokens.count == (chunks == nil ? 4 : 1) && tokens.flatMap { $0 }.map(\.text) == ["You", " said:", " a", " b"])
            #expect(tokens[0][0].likeliest.map(\.text) == ["You", "You?"])
            #expect(tokens[0][0].likeliest.map(\.logprob) == [tokens[0][0].logprob, -2.25])
        }
    }

    @Test("the last message of the user counts, even if its content is a list of parts")
    func parts() throws {
        let body =
            #"{"messages":[{"role":"user","content":"first"},{"role":"assistant","content":"no"},{"role":"user","content":[{"type":"text","text":"se"},{"type":"image_url","image_url":{"url":"https://h/x.png"}},{"type":"text","text":"cond"}]}]}"#
        #expect(try read(response(body: body, isStream: false)).text == "You said: second")
    }

    @Test(
        "it fails with the configured status, and requests the configured wait",
        arguments: [
            (["fail": "429"], 429, FailureClass.rateLimited, nil),
            (["fail": "503", "retry_after": "2s"], 503, .upstreamError, .seconds(2)),
            (["fail": "429", "retry_after": "250ms"], 429, .rateLimited, .milliseconds(250)),
            (["fail": "401"], 401, .providerRejected, nil),
        ] as [([String: String], Int, FailureClass, Duration?)])
    func fails(options: [String: String], status: Int, failure: FailureClass, wait: Duration?) throws {
        let error = try failed(response(to: "x", isStream: true, options))
        #expect(error.status == status)
        #expect(error.failure == failure)
        #expect(error.retryAfter == wait)
    }

    @Test("a list of statuses is for the attempts of a request in order, and further attempts succeed")
    func attempts() throws {
        let options = try options(["fail": "[503, 200, 429]"])
        let statuses = [0, 1, 2, 3, 100, -1].map {
            response(body: #"{"messages":[]}"#, isStream: true, options, earlierAttempts: $0).head.status
        }
        #expect(statuses == [503, 200, 429, 200, 200, 503])
    }

    @Test(
        "a response that breaks off after the configured number of chunks is truncated",
        arguments: [(0, ""), (1, "You"), (3, "You said: a"), (99, "You said: a b")])
    func cut(chunks: Int, text: String) throws {
        let read = try read(response(to: "a b", isStream: true, ["cut": "\(chunks)"]))
        #expect(read.text == text)
        #expect(read.error?.code == "upstream_truncated")
        #expect(try self.read(response(to: "a b", isStream: false, ["cut": "\(chunks)"])).error?.code == "upstream_truncated")
    }

    @Test("a truncated response and its continuation are together the complete response", arguments: 0...6)
    func continuation(chunks: Int) throws {
        let question = "Привет 👨‍👩‍👧 \"и\" пока"
        let begun = try read(response(to: question, isStream: true, ["cut": "\(chunks)"])).text
        for rest in [
            try response(to: question, isStream: true, continuation: begun),
            try response(to: question, isStream: false, continuation: begun),
        ] {
            let rest = try read(rest)
            #expect(begun + rest.text == "You said: \(question)")
            #expect(rest.isComplete)
        }
    }

    @Test("a text with which its response doesn't begin is followed by the complete response")
    func foreignText() throws {
        #expect(try read(response(to: "a", isStream: true, continuation: "Once ")).text == "You said: a")
    }

    @Test(
        "a prompt with more words than the configured context is refused",
        arguments: [(3, nil), (2, FailureClass.contextOverflow)] as [(Int, FailureClass?)])
    func context(limit: Int, failure: FailureClass?) throws {
        let body = #"{"messages":[{"role":"system","content":"one"},{"role":"user","content":[{"type":"text","text":"two three"}]}]}"#
        let response = try response(body: body, isStream: true, ["context": "\(limit)"])
        #expect(response.head.status == (failure == nil ? 200 : 400))
        if let failure { #expect(try failed(response).failure == failure) }
    }

    @Test("a prompt with the filtered word is refused")
    func filter() throws {
        #expect(try failed(response(to: "a bad word", isStream: true, ["filter": "bad"])).failure == .contentFilter)
        #expect(try response(to: "a good word", isStream: true, ["filter": "bad"]).head.status == 200)
    }

    @Test(
        "if JSON is required, the response is JSON",
        arguments: [#"{"type":"json_object"}"#, #"{"type":"json_schema","json_schema":{"name":"n","schema":{}}}"#])
    func json(format: String) throws {
        let text = try read(response(to: "say \"hi\"\n", isStream: true, more: #"{"response_format":\#(format)}"#)).text
        #expect(text == #"{"echo":"say \"hi\"\n"}"#)
        #expect(try read(response(to: "x", isStream: true, more: #"{"response_format":{"type":"text"}}"#)).text == "You said: x")
    }

    @Test("a required function is called")
    func toolCall() throws {
        let read = try read(response(to: "x", isStream: true, more: Self.toolChoice))
        #expect(read.events.contains(.toolCall(index: 0, id: "call_demo", name: "look_up")))
        #expect(read.events.last == .finish(.toolCalls))
        #expect(read.signals.hasToolCall)
        #expect(read.text == "")
    }

    @Test("an invalid status is reported with its place", arguments: ["9999", "[503, 20]", "[x]", "200", "{}"])
    func wrongStatus(value: String) throws {
        var fields = FieldReader([entry("fail", value)], at: .start)
        _ = DemoPlugin.readOptions(&fields)
        #expect(fields.issues.count == 1)
    }

    static let toolChoice =
        #"{"tools":[{"type":"function","function":{"name":"look_up"}}],"tool_choice":{"type":"function","function":{"name":"look_up"}}}"#

    /// The result of decoding a response.
    private struct DecodedResponse {
        var text = ""
        var events: [ChatEvent] = []
        var signals = Signals()
        var isComplete = false
        var error: ProviderError?
    }

    private func read(_ response: LocalResponse) throws -> DecodedResponse {
        var decoder = try provider().decoder(
            for: Call(
                operation: .chat, model: "demo", isStream: true, format: OpenAIChat.format, payload: .chat(ChatRequest(messages: [])),
                keepsText: true), head: response.head)
        var sink = ResponseSink()
        var decoded = DecodedResponse()
        let bytes = response.chunks.flatMap(\.bytes)
        let consumed = try decoder.decode(bytes.span.bytes, into: &sink)
        do throws(ProviderError) {
            try decoder.finish(Array(bytes[consumed...]).span.bytes, into: &sink)
        } catch {
            decoded.error = error
        }
        for case .event(let event) in sink.parts {
            decoded.events.append(event)
            if case .text(let more) = event { decoded.text += more }
        }
        #expect(sink.text ?? "" == decoded.text)
        decoded.signals = sink.signals
        decoded.isComplete = sink.isComplete
        return decoded
    }

    private func failed(_ response: LocalResponse) throws -> ProviderError {
        let body = response.chunks[0].bytes
        return try provider().failure(head: response.head, body: body.span.bytes)
    }

    private func provider() throws -> any Provider {
        DemoPlugin.makeProvider(try options([:]))
    }

    private func options(_ values: [String: String]) throws -> DemoOptions {
        var fields = FieldReader(values.map { entry($0.key, $0.value) }, at: .start)
        let options = DemoPlugin.readOptions(&fields)
        #expect(fields.finish().map(\.message) == [])
        return try #require(options)
    }

    /// A value such as `[a, b]` is a list, and `{}` is a mapping.
    private func entry(_ key: String, _ value: String) -> ConfigEntry {
        func scalar(_ text: some StringProtocol) -> ConfigNode { ConfigNode(.scalar(ConfigScalar(String(text))), at: .start) }
        let key = ConfigText(key, at: .start)
        if value == "{}" { return ConfigEntry(key: key, value: ConfigNode(.mapping([]), at: .start)) }
        guard value.hasPrefix("[") else { return ConfigEntry(key: key, value: scalar(value)) }
        let items = value.dropFirst().dropLast().split(separator: ",").map { scalar($0.drop { $0 == " " }) }
        return ConfigEntry(key: key, value: ConfigNode(.sequence(items), at: .start))
    }

    /// - Parameter more: an object whose members are added to the request.
    private func response(
        to question: String, isStream: Bool, _ values: [String: String] = [:], more: String = "{}", continuation: String? = nil
    ) throws -> LocalResponse {
        var writer = JSONWriter()
        writer.object {
            $0.key("messages")
            $0.array {
                $0.object {
                    $0.member("role", "user")
                    $0.member("content", question)
                }
            }
        }
        let inner = more.dropFirst().dropLast()
        let body = String(decoding: writer.bytes.dropLast(), as: UTF8.self) + (inner.isEmpty ? "" : ",") + inner + "}"
        return response(body: body, isStream: isStream, try options(values), continuation: continuation)
    }

    private func response(body: String, isStream: Bool, _ values: [String: String] = [:]) throws -> LocalResponse {
        response(body: body, isStream: isStream, try options(values))
    }

    private func response(
        body: String, isStream: Bool, _ options: DemoOptions, continuation: String? = nil, earlierAttempts: Int = 0
    ) -> LocalResponse {
        let bytes = Array(body.utf8)
        let call = Call(
            operation: .chat, model: "demo", isStream: isStream, format: OpenAIChat.format,
            payload: .chat((try? OpenAIChat.readRequest(bytes.span.bytes)) ?? ChatRequest(messages: [])), continuation: continuation,
            earlierAttempts: earlierAttempts)
        return DemoPlugin.makeProvider(options).response(to: call, body: bytes.span.bytes)
    }
}
