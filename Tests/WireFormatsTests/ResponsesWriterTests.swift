import Codecs
import ProviderKit
import Testing

@testable import WireFormats

/// What clients of OpenAI's Responses rely on in a stream, beyond its content.
@Suite("OpenAI's Responses, written")
struct ResponsesWriterTests {
    private static func writer(_ request: String = "{}") -> OpenAIResponsesEventWriter {
        OpenAIResponsesEventWriter(id: "r", created: 1, model: "m", OpenAIResponsesSettings(of: Array(request.utf8).span.bytes))
    }

    /// The events of a stream: their types on the line before, and their objects.
    private func events(_ stream: [UInt8]) throws -> [JSONTree] {
        try String(decoding: stream, as: UTF8.self).split(separator: "\n\n").map { frame in
            let lines = frame.split(separator: "\n")
            let data = Array(lines[1].dropFirst("data: ".utf8.count).utf8), tree = JSONTree(data.span.bytes)
            let json = try #require(tree)
            #expect(lines.count == 2 && lines[0] == "event: \(json["type"]?.string ?? "")")
            return json
        }
    }

    @Test("events are numbered from 0, what begins ends once, and the last event is the only end", arguments: 0..<100)
    func order(seed: UInt64) throws {
        var random = RandomChat(seed), writer = Self.writer()
        let stream = random.responseEvents().flatMap { writer.frames($0) } + writer.end(nil)
        let events = try events(stream), types = events.map { $0["type"]?.string ?? "" }
        #expect(events.map { $0["sequence_number"]?.integer } == Array(0..<events.count))
        #expect(types.prefix(2) == ["response.created", "response.in_progress"])
        #expect(types.filter { ["response.completed", "response.incomplete", "response.failed"].contains($0) } == [types.last])
        #expect(Set(events.compactMap { $0["response"]?["id"]?.string }).count == 1)
        var open: Set<String> = []
        for (event, type) in zip(events, types) {
            let item = "\(event["output_index"]?.integer ?? -1)"
            let part = (event["content_index"] ?? event["summary_index"])?.integer.map { "\(item).\($0)" }
            switch type {
            case "response.output_item.added": #expect(open.isEmpty && open.insert(item).inserted)
            case "response.output_item.done": #expect(open.remove(item) != nil)
            case "response.content_part.added", "response.reasoning_summary_part.added":
                #expect(open.contains(item) && open.insert(part ?? "").inserted)
            case "response.content_part.done", "response.reasoning_summary_part.done": #expect(open.remove(part ?? "") != nil)
            case _ where type.hasSuffix(".delta"): #expect(open.contains(part ?? item))
            default: break
            }
        }
        #expect(open.isEmpty)
    }

    @Test(
        "one item ends before the next begins, in whatever order the upstream sends the arguments of calls",
        arguments: [
            // All calls begin, then their arguments follow.
            [.begin(0), .begin(1), .begin(2), .rest(0), .rest(1), .rest(2)],
            // The arguments come in turn.
            [.begin(0), .begin(1), .part(0), .part(1), .end(0), .end(1)], [.begin(0), .part(0), .begin(1), .rest(1), .end(0)],
            [.begin(0), .begin(1), .rest(1), .rest(0)], [.begin(0), .rest(0), .text, .begin(1), .text, .rest(1), .text],
            // Calls without arguments, and one that is never complete.
            [.begin(0), .begin(1), .rest(1), .begin(2)], [.begin(0), .part(0), .text, .begin(1), .part(1)],
        ] as [[Step]])
    func turns(steps: [Step]) throws {
        var writer = Self.writer()
        let stream = (steps.map(\.event) + [.finish(.toolCalls)]).flatMap { writer.frames($0) } + writer.end(nil)
        var open: Int?, arguments = "", begun = 0
        let events = try events(stream)
        for event in events {
            guard let item = event["output_index"]?.integer else { continue }
            switch event["type"]?.string {
            case "response.output_item.added":
                #expect(open == nil && item == begun)
                (open, arguments, begun) = (item, "", begun + 1)
            case "response.output_item.done":
                #expect(open == item)
                open = nil
                guard event["item"]?["type"]?.string == "function_call" else { continue }
                #expect(event["item"]?["arguments"]?.string == (arguments.isEmpty ? "{}" : arguments))
            case "response.function_call_arguments.delta": arguments += event["delta"]?.string ?? ""
            default: #expect(open == item)
            }
        }
        let output = try #require(events.last?["response"]?["output"]?.elements)
        #expect(events.filter { $0["type"]?.string == "response.output_item.done" }.compactMap { $0["item"] } == output)
        for call in 0..<3 {
            let sent = steps.compactMap { $0.arguments(of: call) }.joined()
            guard steps.contains(.begin(call)) else { continue }
            let item = output.first { $0["call_id"]?.string == "call_\(call)" }
            #expect(item?["arguments"]?.string == (sent.isEmpty ? "{}" : sent))
        }
    }

    /// An event of a response with calls.
    enum Step: Equatable {
        case begin(Int), part(Int), end(Int), rest(Int)
        case text

        var event: ChatEvent {
            switch self {
            case .text: .text("T")
            case .begin(let call): .toolCall(index: call, id: "call_\(call)", name: "f")
            case .part(let call), .end(let call), .rest(let call): .toolArguments(index: call, fragment: arguments(of: call) ?? "")
            }
        }

        func arguments(of call: Int) -> String? {
            switch self {
            case .part(call): #"{"a":["}\"{","#
            case .end(call): #""x"]}"#
            case .rest(call): #"{"b":{}}"#
            default: nil
            }
        }
    }

    @Test("the item in each output_item.done is complete, and is the one in the response")
    func items() throws {
        var writer = Self.writer()
        let events = try events(
            [
                ChatEvent.reasoning("I "), .reasoning("think"), .reasoningToken(OpaqueToken("sig", .signature, .provider(tag: "t"))),
                .text("Hel"), .text("lo"), .toolCall(index: 0, id: "call_1", name: "f"), .toolCall(index: 1, id: "call_2", name: "g"),
                .toolArguments(index: 1, fragment: "{}"), .toolArguments(index: 0, fragment: #"{"a":"#),
                .toolArguments(index: 0, fragment: "1}"), .finish(.stop),
            ].flatMap { writer.frames($0) } + writer.end(Usage(promptTokens: 3, completionTokens: 5)))
        let done = events.filter { $0["type"]?.string == "response.output_item.done" }.compactMap { $0["item"] }
        #expect(done.map { $0["type"]?.string } == ["reasoning", "message", "function_call", "function_call"])
        #expect(done[0]["summary"]?.elements?.first?["text"]?.string == "I think")
        #expect(done[0]["encrypted_content"]?.string == "llm-router:t:sig")
        #expect(done[1]["content"]?.elements?.first?["text"]?.string == "Hello")
        #expect(done[2]["arguments"]?.string == #"{"a":1}"# && done[2]["call_id"]?.string == "call_1")
        let response = try #require(events.last?["response"])
        #expect(response["output"]?.elements == done)
        #expect(response["status"]?.string == "completed")
        #expect(response["usage"]?["total_tokens"]?.integer == 8)
    }

    @Test("a response repeats what was asked")
    func settings() throws {
        var writer = Self.writer(
            #"{"instructions":"Be brief","temperature":0.5,"metadata":{"a":"b"},"tools":[{"type":"web_search"}],"x":1}"#)
        let response = try #require(try events(writer.frames(.text("a"))).first?["response"])
        #expect(response["instructions"]?.string == "Be brief" && response["temperature"]?.double == 0.5)
        #expect(response["metadata"]?["a"]?.string == "b" && response["tools"]?.elements?.count == 1)
        #expect(response["x"] == nil && response["store"]?.bool == false && response["tool_choice"]?.string == "auto")
    }

    @Test("tools that aren't functions get calls of their own kind")
    func tools() throws {
        var writer = Self.writer(
            #"{"tools":[{"type":"custom","name":"patch"},{"type":"local_shell"},{"type":"namespace","name":"n","tools":[{"type":"function","name":"f"}]}]}"#
        )
        let calls: [(String, String)] = [
            ("patch", #"{"input":"a\nb"}"#), ("patch", "plain"), ("local_shell", #"{"command":"ls -l"}"#), ("n__f", ""), ("other", "{"),
        ]
        let events = try events(
            calls.enumerated().flatMap { index, call in
                writer.frames(.toolCall(index: index, id: "call_\(index)", name: call.0))
                    + writer.frames(.toolArguments(index: index, fragment: call.1))
            } + writer.frames(.finish(.toolCalls)))
        let items = events.filter { $0["type"]?.string == "response.output_item.done" }.compactMap { $0["item"] }
        #expect(
            items.map { $0["type"]?.string }
                == ["custom_tool_call", "custom_tool_call", "local_shell_call", "function_call", "function_call"])
        #expect(items[0]["input"]?.string == "a\nb" && items[1]["input"]?.string == "plain")
        #expect(items[2]["action"]?["command"]?.elements?.compactMap(\.string) == ["sh", "-c", "ls -l"])
        #expect(items[3]["name"]?.string == "f" && items[3]["namespace"]?.string == "n" && items[3]["arguments"]?.string == "{}")
        #expect(items[4]["arguments"]?.string == "{")
        let inputs = events.filter { $0["type"]?.string == "response.custom_tool_call_input.done" }.map { $0["input"]?.string }
        #expect(inputs == ["a\nb", "plain"])
    }

    @Test("a failure is the last event, with what came before, and a stream that passed through keeps its id and its numbers")
    func failure() throws {
        var writer = Self.writer()
        let own = try events(writer.frames(.text("Once")) + writer.failure(code: "server_error", message: "it broke"))
        #expect(own.last?["type"]?.string == "response.failed")
        #expect(own.last?["response"]?["error"]?["message"]?.string == "it broke")
        #expect(own.last?["response"]?["status"]?.string == "failed")
        var passed = Self.writer()
        passed.follow(id: "resp_up", events: 7)
        let last = try events(passed.failure(code: "server_error", message: "it broke"))
        #expect(last.count == 1 && last[0]["sequence_number"]?.integer == 7 && last[0]["response"]?["id"]?.string == "resp_up")
        var silent = Self.writer()
        #expect(try events(silent.failure(code: "c", message: "m")).map { $0["type"]?.string }.first == "response.created")
    }

    @Test(
        "a member is added to a response that passes through, in place of another router's",
        arguments: [
            (#"{"id":"a"}"#, #"{"id":"a","_router":1}"#), (#"{ "_router" : {"x":[2]}, "id":"a" }"#, #"{"id":"a","_router":1}"#),
            ("{}", #"{"_router":1}"#),
        ])
    func member(response: String, expected: String) throws {
        let added = OpenAIResponses.adding(Array(#""_router":1"#.utf8), to: Array(response.utf8).span.bytes)
        #expect(JSONTree(added.span.bytes) == JSONTree(Array(expected.utf8).span.bytes))
        let event = Array(#"{"type":"response.completed","response":\#(response),"sequence_number":3}"#.utf8)
        let ended = OpenAIResponses.adding(Array(#""_router":1"#.utf8), toResponseOf: event.span.bytes)
        #expect(JSONTree(ended.span.bytes)?["response"] == JSONTree(Array(expected.utf8).span.bytes))
        #expect(JSONTree(ended.span.bytes)?["sequence_number"]?.integer == 3)
    }
}
