import Codecs
import ConfigTree
import Demo
import ProviderConformance
import ProviderKit
import Testing

@Suite("the demo plugin")
struct DemoPluginTests {
    @Test("passes the suite of every provider")
    func conformance() throws {
        let responses = try [("a stream", true, "{}"), ("a non-streamed response", false, "{}"), ("a tool call", true, Self.toolChoice)].map
        { name, isStream, more in
            let response = try response(to: "Привет 🚀, как дела", isStream: isStream, more: more)
            return ProviderConformance.Answer(name, isStream: isStream, head: response.head, bytes: response.pieces.flatMap(\.bytes))
        }
        #expect(ProviderConformance(provider: try provider(), responses: responses, requests: []).violations() == [])
    }

    @Test("the response holds the question's text unharmed, in as many pieces as asked", arguments: [1, 3, 7, 50])
    func text(chunks: Int) throws {
        let question = "Привет 🚀 👨‍👩‍👧 \"quoted\" \\ and\nlines"
        let response = try response(to: question, isStream: true, ["chunks": "\(chunks)"])
        #expect(response.pieces.count == chunks + 1)
        #expect(try read(response).text == "You said: \(question)")
    }

    @Test("the last message of the user counts, also where its content is a list of parts")
    func parts() throws {
        let body =
            #"{"messages":[{"role":"user","content":"first"},7,{"role":"assistant","content":"no"},{"role":"user","content":[{"type":"text","text":"se"},{"type":"image_url","image_url":{}},{"type":"text","text":"cond"}]}]}"#
        #expect(try read(response(body: body, isStream: false)).text == "You said: second")
    }

    @Test(
        "it fails with the status that it was told, and asks for the wait that it was told",
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

    @Test("a list of statuses fails a request's tries in turn, and what is behind it answers")
    func tries() throws {
        let options = try options(["fail": "[503, 200, 429]"])
        let statuses = [0, 1, 2, 3, 100, -1].map {
            response(body: #"{"messages":[]}"#, isStream: true, options, earlierTries: $0).head.status
        }
        #expect(statuses == [503, 200, 429, 200, 200, 503])
    }

    @Test(
        "a response breaks off after so many pieces, and is then none",
        arguments: [(0, ""), (1, "You"), (3, "You said: a"), (99, "You said: a b")])
    func cut(pieces: Int, text: String) throws {
        let read = try read(response(to: "a b", isStream: true, ["cut": "\(pieces)"]))
        #expect(read.text == text)
        #expect(read.error?.code == "upstream_truncated")
        #expect(try self.read(response(to: "a b", isStream: false, ["cut": "\(pieces)"])).error?.code == "upstream_truncated")
    }

    @Test("what was cut and what continues it are together the non-streamed response", arguments: 0...6)
    func continuation(pieces: Int) throws {
        let question = "Привет 👨‍👩‍👧 \"и\" пока"
        let begun = try read(response(to: question, isStream: true, ["cut": "\(pieces)"])).text
        for rest in [
            try response(to: question, isStream: true, continuation: begun),
            try response(to: question, isStream: false, continuation: begun),
        ] {
            let rest = try read(rest)
            #expect(begun + rest.text == "You said: \(question)")
            #expect(rest.isComplete)
        }
    }

    @Test("a text that isn't its own beginning is followed by its non-streamed response")
    func foreignText() throws {
        #expect(try read(response(to: "a", isStream: true, continuation: "Once ")).text == "You said: a")
    }

    @Test(
        "a prompt of more words than its context is refused for that",
        arguments: [(3, nil), (2, FailureClass.contextOverflow)] as [(Int, FailureClass?)])
    func context(limit: Int, failure: FailureClass?) throws {
        let body = #"{"messages":[{"role":"system","content":"one"},{"role":"user","content":[{"type":"text","text":"two three"}]}]}"#
        let response = try response(body: body, isStream: true, ["context": "\(limit)"])
        #expect(response.head.status == (failure == nil ? 200 : 400))
        if let failure { #expect(try failed(response).failure == failure) }
    }

    @Test("a prompt with the filtered word is refused for that")
    func filter() throws {
        #expect(try failed(response(to: "a bad word", isStream: true, ["filter": "bad"])).failure == .contentFilter)
        #expect(try response(to: "a good word", isStream: true, ["filter": "bad"]).head.status == 200)
    }

    @Test("where JSON is asked for the response is JSON", arguments: ["json_object", "json_schema"])
    func json(type: String) throws {
        let text = try read(response(to: "say \"hi\"\n", isStream: true, more: #"{"response_format":{"type":"\#(type)"}}"#)).text
        #expect(text == #"{"echo":"say \"hi\"\n"}"#)
        #expect(try read(response(to: "x", isStream: true, more: #"{"response_format":{"type":"text"}}"#)).text == "You said: x")
    }

    @Test("the function that must be called is called")
    func toolCall() throws {
        let read = try read(response(to: "x", isStream: true, more: Self.toolChoice))
        #expect(read.events.contains(.toolCall(index: 0, id: "call_demo", name: "look_up")))
        #expect(read.events.last == .finish(.toolCalls))
        #expect(read.content.hasToolCall)
        #expect(read.text == "")
    }

    @Test("a status that can't be one is told with its place", arguments: ["9999", "[503, 20]", "[x]", "200", "{}"])
    func wrongStatus(value: String) throws {
        var fields = FieldReader([entry("fail", value)], at: .start)
        _ = DemoPlugin.readOptions(&fields)
        #expect(fields.issues.count == 1)
    }

    static let toolChoice = #"{"tool_choice":{"type":"function","function":{"name":"look_up"}}}"#

    /// What a decoder makes of a response, as far as it goes.
    private struct Reading {
        var text = ""
        var events: [ChatEvent] = []
        var content = ContentSummary()
        var isComplete = false
        var error: ProviderError?
    }

    private func read(_ response: LocalResponse) throws -> Reading {
        var decoder = try provider().decoder(
            for: Call(operation: .chat, model: "demo", isStream: true, keepsText: true), head: response.head)
        var sink = ResponseSink()
        var reading = Reading()
        let bytes = response.pieces.flatMap(\.bytes)
        let consumed = try decoder.decode(bytes.span.bytes, into: &sink)
        do throws(ProviderError) {
            try decoder.finish(Array(bytes[consumed...]).span.bytes, into: &sink)
        } catch {
            reading.error = error
        }
        for case .event(let event) in sink.parts {
            reading.events.append(event)
            if case .text(let more) = event { reading.text += more }
        }
        #expect(sink.text ?? "" == reading.text)
        reading.content = sink.content
        reading.isComplete = sink.isComplete
        return reading
    }

    private func failed(_ response: LocalResponse) throws -> ProviderError {
        let body = response.pieces[0].bytes
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

    /// `[a, b]` is a list, `{}` a mapping.
    private func entry(_ key: String, _ value: String) -> ConfigEntry {
        func scalar(_ text: some StringProtocol) -> ConfigNode { ConfigNode(.scalar(ConfigScalar(String(text))), at: .start) }
        let key = ConfigText(key, at: .start)
        if value == "{}" { return ConfigEntry(key: key, value: ConfigNode(.mapping([]), at: .start)) }
        guard value.hasPrefix("[") else { return ConfigEntry(key: key, value: scalar(value)) }
        let items = value.dropFirst().dropLast().split(separator: ",").map { scalar($0.drop { $0 == " " }) }
        return ConfigEntry(key: key, value: ConfigNode(.sequence(items), at: .start))
    }

    /// `more` is an object whose members are the request's too.
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
        body: String, isStream: Bool, _ options: DemoOptions, continuation: String? = nil, earlierTries: Int = 0
    ) -> LocalResponse {
        let bytes = Array(body.utf8)
        let members = (try? JSON.members(of: bytes.span.bytes)) ?? []
        let call = Call(
            operation: .chat, model: "demo", isStream: isStream, members: members, continuation: continuation, earlierTries: earlierTries)
        return DemoPlugin.makeProvider(options).response(to: call, body: bytes.span.bytes)
    }
}
