import TestSupport
import Testing

/// A face, as the conformance suite sees it: how its clients ask, and how they read what they get.
struct FaceUnderTest: Sendable, CustomTestStringConvertible {
    /// What a client has asked for.
    struct Question {
        var model = "b"
        var text = "Hello"
        var isStream = false
        /// Whether the model may call the tool `add`, which takes an object.
        var hasTool = false
        /// Whether there is a picture beside the text.
        var hasImage = false
        var maxTokens: Int?
    }

    /// What a client has read.
    struct Reading {
        var text = "", reasoning = ""
        /// The tool calls: names, and arguments as JSON.
        var tools: [(name: String, arguments: JSON?)] = []
        var finish: String?
        var input: Int?, output: Int?
    }

    let name: String
    let path: @Sendable (Question) -> String
    let body: @Sendable (Question) -> String
    /// Header fields of each request.
    var fields: [String] = []
    /// The field with a key.
    let credential: @Sendable (_ key: String) -> String
    /// The type of a streamed response.
    let streamType: String
    /// The objects of a streamed response, in order. Signs of life are left out.
    let frames: @Sendable (String) -> [JSON]
    /// Reads the object of a response, or the objects of a streamed one.
    let read: @Sendable ([JSON]) -> Reading
    /// Whether a streamed response shows that it is complete.
    let isComplete: @Sendable (String) -> Bool
    /// The message of an error's object; nil if it has another form.
    let errorMessage: @Sendable (JSON) -> String?
    /// The finish of a text, of a text that reached the limit, of a refusal, and of a tool call.
    let finishes: (stop: String, length: String, filter: String, tool: String)

    var testDescription: String { name }

    static let all: [FaceUnderTest] = [.openAI, .openAIResponses, .anthropic, .gemini, .ollama]
}

extension FaceUnderTest {
    static let pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    static let schema = #"{"type":"object","properties":{"a":{"type":"array","items":{"type":"integer"}}}}"#

    /// The objects in the `data` lines of server-sent events.
    static func events(_ text: String) -> [JSON] {
        text.split(separator: "\n").compactMap { $0.hasPrefix("data: {") ? JSON($0.dropFirst(6)) : nil }
    }

    static let openAI = FaceUnderTest(
        name: "OpenAI chat", path: { _ in "/v1/chat/completions" },
        body: { question in
            let picture = #"{"type":"image_url","image_url":{"url":"data:image/png;base64,\#(pixel)"}}"#
            let content =
                question.hasImage
                ? #"[{"type":"text","text":\#(JSON.quote(question.text))},\#(picture)]"# : JSON.quote(question.text)
            let tool = question.hasTool ? #","tools":[{"type":"function","function":{"name":"add","parameters":\#(schema)}}]"# : ""
            let limit = question.maxTokens.map { #","max_tokens":\#($0)"# } ?? ""
            let stream = question.isStream ? #","stream":true,"stream_options":{"include_usage":true}"# : ""
            return #"{"model":"\#(question.model)","messages":[{"role":"user","content":\#(content)}]\#(tool)\#(limit)\#(stream)}"#
        },
        credential: { "authorization: Bearer \($0)" }, streamType: "text/event-stream", frames: events,
        read: { objects in
            var reading = Reading(), arguments: [String] = []
            for object in objects {
                let choice = object["choices"]?[0], message = choice?["delta"] ?? choice?["message"]
                reading.text += message?["content"]?.string ?? ""
                reading.reasoning += message?["reasoning_content"]?.string ?? ""
                for (place, call) in (message?["tool_calls"]?.array ?? []).enumerated() {
                    let index = call["index"]?.int ?? place
                    if index == reading.tools.count {
                        reading.tools.append((call["function"]?["name"]?.string ?? "", nil))
                        arguments.append("")
                    }
                    arguments[index] += call["function"]?["arguments"]?.string ?? ""
                }
                reading.finish = choice?["finish_reason"]?.string ?? reading.finish
                reading.input = object["usage"]?["prompt_tokens"]?.int ?? reading.input
                reading.output = object["usage"]?["completion_tokens"]?.int ?? reading.output
            }
            for index in arguments.indices { reading.tools[index].arguments = JSON(arguments[index]) }
            return reading
        },
        isComplete: { $0.hasSuffix("data: [DONE]\n\n") }, errorMessage: { $0["error"]?["message"]?.string },
        finishes: ("stop", "length", "content_filter", "tool_calls"))

    static let anthropic = FaceUnderTest(
        name: "Anthropic Messages", path: { _ in "/v1/messages" },
        body: { question in
            let picture = #"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"\#(pixel)"}}"#
            let content =
                question.hasImage
                ? #"[{"type":"text","text":\#(JSON.quote(question.text))},\#(picture)]"# : JSON.quote(question.text)
            let tool = question.hasTool ? #","tools":[{"name":"add","input_schema":\#(schema)}]"# : ""
            let head = #"{"model":"\#(question.model)","max_tokens":\#(question.maxTokens ?? 99),"stream":\#(question.isStream)"#
            return head + #","messages":[{"role":"user","content":\#(content)}]\#(tool)}"#
        },
        fields: ["anthropic-version: 2023-06-01"], credential: { "x-api-key: \($0)" }, streamType: "text/event-stream", frames: events,
        read: { objects in
            var reading = Reading(), arguments: [Int: String] = [:], places: [Int] = []
            func begin(_ block: JSON, _ index: Int) {
                reading.text += block["text"]?.string ?? ""
                reading.reasoning += block["thinking"]?.string ?? ""
                guard block["type"]?.string == "tool_use" else { return }
                reading.tools.append((block["name"]?.string ?? "", block["input"]))
                places.append(index)
            }
            for object in objects {
                for (index, block) in (object["content"]?.array ?? []).enumerated() { begin(block, index) }
                if let block = object["content_block"] { begin(block, object["index"]?.int ?? 0) }
                reading.text += object["delta"]?["text"]?.string ?? ""
                reading.reasoning += object["delta"]?["thinking"]?.string ?? ""
                if let index = object["index"]?.int { arguments[index, default: ""] += object["delta"]?["partial_json"]?.string ?? "" }
                reading.finish = object["stop_reason"]?.string ?? object["delta"]?["stop_reason"]?.string ?? reading.finish
                let usage = object["usage"] ?? object["message"]?["usage"]
                reading.input = usage?["input_tokens"]?.int ?? reading.input
                reading.output = usage?["output_tokens"]?.int ?? reading.output
            }
            for (index, place) in places.enumerated() {
                if let text = arguments[place], !text.isEmpty { reading.tools[index].arguments = JSON(text) }
            }
            return reading
        },
        isComplete: { $0.hasSuffix("data: {\"type\":\"message_stop\"}\n\n") },
        errorMessage: { $0["type"]?.string == "error" ? $0["error"]?["message"]?.string : nil },
        finishes: ("end_turn", "max_tokens", "refusal", "tool_use"))

    static let ollama = FaceUnderTest(
        name: "Ollama chat", path: { _ in "/api/chat" },
        body: { question in
            let images = question.hasImage ? #","images":["\#(pixel)"]"# : ""
            let tool = question.hasTool ? #","tools":[{"type":"function","function":{"name":"add","parameters":\#(schema)}}]"# : ""
            let limit = question.maxTokens.map { #","options":{"num_predict":\#($0)}"# } ?? ""
            let message = #"{"role":"user","content":\#(JSON.quote(question.text))\#(images)}"#
            return #"{"model":"\#(question.model)","messages":[\#(message)],"stream":\#(question.isStream)\#(tool)\#(limit)}"#
        },
        credential: { "authorization: Bearer \($0)" }, streamType: "application/x-ndjson",
        frames: { $0.split(separator: "\n").compactMap { JSON(Array($0.utf8)) } },
        read: { objects in
            var reading = Reading()
            for object in objects {
                let message = object["message"]
                reading.text += message?["content"]?.string ?? ""
                reading.reasoning += message?["thinking"]?.string ?? ""
                for call in message?["tool_calls"]?.array ?? [] {
                    reading.tools.append((call["function"]?["name"]?.string ?? "", call["function"]?["arguments"]))
                }
                reading.finish = object["done_reason"]?.string ?? reading.finish
                reading.input = object["prompt_eval_count"]?.int ?? reading.input
                reading.output = object["eval_count"]?.int ?? reading.output
            }
            return reading
        },
        isComplete: { $0.hasSuffix("}\n") && $0.split(separator: "\n").last?.contains(#""done":true"#) == true },
        errorMessage: { $0["error"]?.string }, finishes: ("stop", "length", "stop", "stop"))
}
