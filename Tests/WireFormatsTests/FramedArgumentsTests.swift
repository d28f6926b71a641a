import Codecs
import ProviderKit
import Testing

@testable import WireFormats

/// Models may write the arguments of tool calls in several lines, and frames end with a line.
@Suite("the arguments of a tool call in a frame that a line break ends")
struct FramedArgumentsTests {
    private func events(_ fragments: [String]) -> [ChatEvent] {
        [.toolCall(index: 0, id: "a", name: "f")] + fragments.map { .toolArguments(index: 0, fragment: $0) } + [.finish(.toolCalls)]
    }

    private static let broken = [
        ["{\n  \"city\": \"Paris\"\n}"], ["{\r\n\t\"city\": \"Paris\"\r\n}\r\n"], ["{", "\n \"city\"", ":\r\"Par", "is\"", "\n}\n\n"],
        ["\n{\"city\":\n\n\"Paris\"}"],
    ]

    @Test("are on one line in Gemini's chunks", arguments: broken)
    func gemini(fragments: [String]) throws {
        var writer = GeminiChunkWriter(id: "r", model: "m", includesThoughts: false)
        let chunks = events(fragments).compactMap { writer.chunk($0) } + [writer.end(nil)]
        for chunk in chunks { #expect(!chunk.contains { $0 == ASCII.lineFeed || $0 == ASCII.carriageReturn }) }
        let last = try #require(chunks.last), chunk = JSONTree(last.span.bytes)
        let part = chunk?["candidates"]?.elements?[0]["content"]?["parts"]?.elements?[0]
        #expect(part?["functionCall"]?["args"]?["city"]?.string == "Paris")
    }

    @Test("are on one line in Ollama's lines", arguments: broken)
    func ollama(fragments: [String]) throws {
        var writer = OllamaLineWriter(OllamaChat.format, model: "m")
        let stream = try events(fragments).flatMap { writer.line($0, at: 0) } + writer.end(nil, .sample, at: 0)
        let lines = stream.split(separator: ASCII.lineFeed)
        #expect(lines.count == 2 && !stream.contains(ASCII.carriageReturn))
        let line = Array(lines[0]), call = JSONTree(line.span.bytes)?["message"]?["tool_calls"]?.elements?[0]
        #expect(call?["function"]?["arguments"]?["city"]?.string == "Paris")
    }

    @Test("keep the line breaks that are in their texts")
    func texts() {
        let call = ChatToolCall(id: "a", name: "f", arguments: "{\n\"a\": \"x\\n  y\\r\"}")
        #expect(String(decoding: call.argumentsObject, as: UTF8.self) == "{ \"a\": \"x\\n  y\\r\"}")
    }

    @Test("are none if they are null or blank", arguments: ["null", " null\n", "", " \n"])
    func none(text: String) throws {
        #expect(String(decoding: ChatToolCall(id: "a", name: "f", arguments: text).argumentsObject, as: UTF8.self) == "{}")
        var ollama = OllamaLineWriter(OllamaChat.format, model: "m")
        #expect(throws: Never.self) { try events([text]).flatMap { ollama.line($0, at: 0) } + ollama.end(nil, .sample, at: 0) }
        var anthropic = AnthropicEventWriter(id: "r", model: "m", inputTokens: 1)
        let stream = String(decoding: events([text]).flatMap { anthropic.frames($0) } + anthropic.end(nil), as: UTF8.self)
        #expect(!stream.contains("null\"") && !stream.contains(#""partial_json":" "#) && stream.contains(#""input":{}"#))
    }

    @Test("are not none if they only begin like null", arguments: ["nullable", "null 1", "[null]", "0"])
    func notNone(text: String) {
        let json = ChatToolCall(id: "a", name: "f", arguments: text).argumentsObject
        #expect(String(decoding: json, as: UTF8.self) == #"{"arguments":"\#(text)"}"#)
    }

    @Test("a fragment that is null goes on in the middle of arguments")
    func middle() {
        var writer = AnthropicEventWriter(id: "r", model: "m", inputTokens: 1)
        let stream = String(decoding: events(["{\"a\":", "null", "}"]).flatMap { writer.frames($0) }, as: UTF8.self)
        #expect(stream.contains(#""partial_json":"null""#))
    }

    @Test("null arguments of an Ollama server are none")
    func nullFromOllama() throws {
        let line =
            #"{"model":"m","message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":null}}]},"done":true,"done_reason":"stop"}"#
        var decoder = try OllamaChat.decoder(
            for: .translated(to: "m", isStream: true), head: UpstreamHead(status: 200, bodyForm: .jsonLines))
        var sink = ResponseSink()
        _ = try decoder.decode(Array((line + "\n").utf8).span.bytes, into: &sink)
        let fragments = sink.parts.compactMap { if case .event(.toolArguments(_, let text)) = $0 { text } else { nil } }
        #expect(fragments == ["{}"])
    }
}

/// Google's schemas allow null by a member of their own.
@Suite("Gemini's schemas as JSON Schema")
struct GeminiSchemaTests {
    private func converted(_ schema: String) throws -> String {
        let bytes = Array(schema.utf8), tree = JSONTree(bytes.span.bytes)
        return String(decoding: GeminiSchema.jsonSchema(try #require(tree)).encoded, as: UTF8.self)
    }

    @Test(
        "allow null wherever the value is restricted, and once",
        arguments: [
            (#"{"enum":["a","b"],"nullable":true,"type":"STRING"}"#, #"{"enum":["a","b",null],"type":["string","null"]}"#),
            (#"{"nullable":true,"enum":["a",null]}"#, #"{"enum":["a",null]}"#),
            (
                #"{"any_of":[{"type":"INTEGER"},{"type":"STRING"}],"nullable":true}"#,
                #"{"anyOf":[{"type":"integer"},{"type":"string"},{"type":"null"}]}"#
            ),
            (#"{"anyOf":[{"type":"INTEGER"},{"type":"NULL"}],"nullable":true}"#, #"{"anyOf":[{"type":"integer"},{"type":"null"}]}"#),
            (#"{"type":"ARRAY","nullable":true,"items":{"type":"STRING"}}"#, #"{"type":["array","null"],"items":{"type":"string"}}"#),
            (#"{"enum":["a"],"nullable":false,"type":"STRING"}"#, #"{"enum":["a"],"type":"string"}"#),
            (
                #"{"type":"OBJECT","properties":{"nullable":{"enum":["x"],"nullable":true}}}"#,
                #"{"type":"object","properties":{"nullable":{"enum":["x",null]}}}"#
            ),
        ])
    func nullable(schema: String, expected: String) throws { #expect(try converted(schema) == expected) }

    @Test(
        "have JSON Schema's names and types at every depth",
        arguments: [
            (
                #"{"type":"OBJECT","additionalProperties":{"type":"INTEGER"}}"#,
                #"{"type":"object","additionalProperties":{"type":"integer"}}"#
            ),
            (#"{"type":"OBJECT","additional_properties":false}"#, #"{"type":"object","additionalProperties":false}"#),
            (
                ##"{"type":"ARRAY","items":{"ref":"#/defs/A"},"defs":{"A":{"type":"STRING"}}}"##,
                ##"{"type":"array","items":{"$ref":"#/$defs/A"},"$defs":{"A":{"type":"string"}}}"##
            ),
        ])
    func names(schema: String, expected: String) throws { #expect(try converted(schema) == expected) }

    @Test("an error in an array is read in a stream as in a body")
    func errors() throws {
        var decoder = try Gemini.decoder(for: .translated(to: "m", isStream: true), head: UpstreamHead(status: 200, bodyForm: .eventStream))
        var sink = ResponseSink()
        let event = #"data: [{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]"# + "\n\n"
        let error = #expect(throws: ProviderError.self) { try decoder.decode(Array(event.utf8).span.bytes, into: &sink) }
        #expect(error?.message == "The model is overloaded." && error?.status == 503)
        for body in [#"data: [{"candidates":[]}]"#, "data: [1]", #"data: "x y""#] {
            var decoder = try Gemini.decoder(
                for: .translated(to: "m", isStream: true), head: UpstreamHead(status: 200, bodyForm: .eventStream))
            let error = #expect(throws: ProviderError.self) { try decoder.decode(Array((body + "\n\n").utf8).span.bytes, into: &sink) }
            #expect(error?.code == ProviderError.unreadableCode)
        }
    }
}

@Suite("the schema of a response in Anthropic's format")
struct AnthropicSchemaTests {
    private func sent(_ schema: String) throws -> String {
        var chat = ChatRequest(messages: [ChatMessage(.user, "x")])
        chat.responseFormat = .schema(name: "n", description: nil, schema: Array(schema.utf8), isStrict: true)
        let written = try AnthropicMessages.writeRequest(chat, for: .translated(to: "claude-sonnet-5"))
        let format = JSONTree(written.span.bytes)?["output_config"]?["format"]
        return String(decoding: try #require(format?["schema"]).encoded, as: UTF8.self)
    }

    @Test(
        "has its limits as words, as the format refuses them",
        arguments: [
            (#"{"type":"integer","minimum":1,"maximum":10}"#, #"{"type":"integer","description":"{minimum: 1, maximum: 10}"}"#),
            (
                #"{"type":"string","description":"A name.","maxLength":5,"format":"email"}"#,
                #"{"type":"string","description":"A name.\n\n{maxLength: 5}","format":"email"}"#
            ),
            (
                #"{"type":"array","minItems":1,"maxItems":3,"items":{"type":"number","multipleOf":0.5}}"#,
                #"{"type":"array","minItems":1,"items":{"type":"number","description":"{multipleOf: 0.5}"},"description":"{maxItems: 3}"}"#
            ),
            (#"{"type":"array","minItems":2}"#, #"{"type":"array","description":"{minItems: 2}"}"#),
            (
                #"{"type":"object","properties":{"minimum":{"type":"string"}},"required":["minimum"]}"#,
                #"{"type":"object","properties":{"minimum":{"type":"string"}},"required":["minimum"],"additionalProperties":false}"#
            ),
            (
                ##"{"$defs":{"maximum":{"enum":[{"type":"object","properties":{},"minimum":1}]}},"anyOf":[{"$ref":"#/$defs/maximum"}]}"##,
                ##"{"$defs":{"maximum":{"enum":[{"type":"object","properties":{},"minimum":1}]}},"anyOf":[{"$ref":"#/$defs/maximum"}]}"##
            ),
        ])
    func limits(schema: String, expected: String) throws { #expect(try sent(schema) == expected) }
}
