import Codecs
import ProviderKit
import Testing

@testable import WireFormats

@Suite("Ollama's chat and generate")
struct OllamaChatTests {
    private func lines(_ events: [ChatEvent], _ usage: Usage? = nil, format: WireFormat = OllamaChat.format) throws -> [JSONTree] {
        var writer = OllamaLineWriter(format, model: "m")
        let stream = try events.flatMap { writer.line($0, at: 1_766_000_000_125) } + writer.end(usage, .sample, at: 1_766_000_000_125)
        return String(decoding: stream, as: UTF8.self).split(separator: "\n").compactMap { JSONTree(Array($0.utf8).span.bytes) }
    }

    @Test("a stream ends with one line that has the counts and durations, and no content")
    func end() throws {
        let lines = try lines(
            [.start(id: "x", model: nil), .text("a"), .text(""), .finish(.length)], Usage(promptTokens: 3, completionTokens: 4))
        #expect(lines.count == 2)
        #expect(
            String(decoding: lines[0].encoded, as: UTF8.self)
                == #"{"model":"m","created_at":"2025-12-17T19:33:20.125Z","message":{"role":"assistant","content":"a"},"done":false}"#)
        #expect(
            String(decoding: lines[1].encoded, as: UTF8.self)
                == #"{"model":"m","created_at":"2025-12-17T19:33:20.125Z","message":{"role":"assistant","content":""},"done":true,"#
                + #""done_reason":"length","total_duration":2000000000,"load_duration":0,"prompt_eval_count":3,"#
                + #""prompt_eval_duration":500000000,"eval_count":4,"eval_duration":1500000000}"#)
    }

    @Test("counts that are unknown are left out")
    func unknownCounts() throws {
        let end = try lines([.text("a"), .finish(.stop)]).last
        #expect(end?["prompt_eval_count"] == nil && end?["eval_count"] == nil && end?["total_duration"] != nil)
    }

    @Test("parallel tool calls come complete, in one line before the last, with objects as arguments")
    func tools() throws {
        let lines = try lines([
            .toolCall(index: 0, id: "a", name: "f"), .toolCall(index: 1, id: "b", name: "g"), .toolArguments(index: 1, fragment: "{\"y\""),
            .toolArguments(index: 0, fragment: "{\"x\":1}"), .text("t"), .toolArguments(index: 1, fragment: ":2}"), .finish(.toolCalls),
        ])
        #expect(lines.map { $0["message"]?["content"]?.string } == ["t", "", ""])
        #expect(
            lines[1]["message"]?["tool_calls"].map { String(decoding: $0.encoded, as: UTF8.self) }
                == #"[{"id":"a","function":{"index":0,"name":"f","arguments":{"x":1}}},"#
                + #"{"id":"b","function":{"index":1,"name":"g","arguments":{"y":2}}}]"#)
        #expect(lines[2]["done_reason"]?.string == "stop")
    }

    @Test("arguments that are no object are an error, and none are an empty object", arguments: ["[1]", "{", "x", "1"])
    func wrongArguments(text: String) throws {
        #expect(throws: ProviderError.self) {
            try lines([.toolCall(index: 0, id: "a", name: "f"), .toolArguments(index: 0, fragment: text), .finish(.toolCalls)])
        }
        let none = try lines([.toolCall(index: 0, id: "a", name: "f"), .finish(.toolCalls)])
        #expect(none[0]["message"]?["tool_calls"]?.elements?[0]["function"]?["arguments"]?.members?.isEmpty == true)
    }

    @Test("what the format has no word for is left out, and a filter is a stop")
    func leftOut() throws {
        let token = OpaqueToken("c2ln", .signature, .provider(tag: "0a"))
        let lines = try lines([.reasoning("r"), .reasoningToken(token), .citation(ChatCitation(url: "https://h")), .finish(.contentFilter)])
        #expect(lines.count == 2 && lines[0]["message"]?["thinking"]?.string == "r")
        #expect(lines[1]["done_reason"]?.string == "stop")
    }

    @Test("generate has its text in 'response', and its reasoning beside it")
    func generate() throws {
        let lines = try lines([.reasoning("r"), .text("a"), .finish(.stop)], format: OllamaChat.generate)
        #expect(lines.map { $0["response"]?.string } == ["", "a", ""] && lines[0]["thinking"]?.string == "r")
        #expect(lines.allSatisfy { $0["message"] == nil })
    }

    @Test("a sign of life, and the response to a request that loads a model")
    func others() {
        let time = 1_766_000_000_125
        #expect(
            String(decoding: OllamaLineWriter.keepAlive(OllamaChat.format, model: "m", at: time), as: UTF8.self)
                == #"{"model":"m","created_at":"2025-12-17T19:33:20.125Z","message":{"role":"assistant","content":""},"done":false}"# + "\n"
        )
        #expect(
            String(decoding: OllamaChat.loaded(OllamaChat.generate, model: "m", isUnloaded: true, at: time), as: UTF8.self)
                == #"{"model":"m","created_at":"2025-12-17T19:33:20.125Z","response":"","done":true,"done_reason":"unload"}"# + "\n")
    }

    @Test("an error is a text, in a body and in a stream")
    func errors() {
        var writer = JSONWriter()
        OllamaChat.writeError("a \"b\"\n", to: &writer)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"error":"a \"b\"\n"}"#)
        #expect(OllamaChat.errorLine("a \"b\"\n") == writer.bytes + Array("\n".utf8))
    }

    @Test("a request to generate is a prompt, with the system's and the images")
    func readGenerate() throws {
        let body =
            #"{"model":"m","system":"s","prompt":"p","images":["iVBORw0KGgo="],"format":"json","context":[1,2],"options":{"num_predict":5}}"#
        let request = try OllamaChat.readGenerateRequest(Array(body.utf8).span.bytes)
        #expect(request.messages.map(\.role) == [.system, .user])
        #expect(request.messages[1].text == "p" && request.messages[1].parts.count == 2)
        #expect(request.responseFormat == .json && request.maxTokens == 5)
    }

    @Test(
        "the images' base64 goes on in the standard alphabet, with padding, and without line breaks",
        arguments: [
            (#"iVBO\nRw0K\nGgo=\n"#, "iVBORw0KGgo="), (#"iVBORw0K\r\nGgo"#, "iVBORw0KGgo="), ("iVBORw0KGgo=", "iVBORw0KGgo="),
            (#"data:image/png;base64,iVBO\nRw0KGgo="#, "iVBORw0KGgo="), ("_9j_-A==", "/9j/+A=="),
        ])
    func base64(image: String, expected: String) throws {
        let body = #"{"model":"m","prompt":"p","images":["\#(image)"]}"#
        let media = try OllamaChat.readGenerateRequest(Array(body.utf8).span.bytes).messages[0].parts.compactMap {
            if case .media(let media) = $0.content { media.source } else { nil }
        }
        #expect(media == [.base64(expected, mediaType: expected.hasPrefix("/") ? "image/jpeg" : "image/png")])
    }

    @Test(
        "what generate can ask for and no other format has is refused by name",
        arguments: [
            (#""raw":true"#, "'raw'"), (#""suffix":"x""#, "'suffix'"), (#""template":"{{ .Prompt }}""#, "'template'"),
            (#""width":5"#, "'width'"), (#""options":{"min_p":0.1}"#, "'options.min_p'"),
            (#""options":{"repeat_penalty":1.2}"#, "'options.repeat_penalty'"), (#""options":{"mirostat":2}"#, "'options.mirostat'"),
        ])
    func untranslatable(member: String, name: String) {
        let error = #expect(throws: ProviderError.self) {
            try OllamaChat.readGenerateRequest(Array(#"{"prompt":"p",\#(member)}"#.utf8).span.bytes)
        }
        #expect(error?.failure == .unsupported && error?.message.contains(name) == true)
    }

    @Test("what asks for nothing is not refused")
    func nothing() throws {
        let body =
            #"{"prompt":"p","raw":false,"suffix":"","template":"","width":null,"logprobs":false,"format":"","think":null,"#
            + #""options":{"min_p":0,"typical_p":1.0,"repeat_penalty":1.1,"mirostat":0,"repeat_last_n":64,"num_ctx":9}}"#
        #expect(try OllamaChat.readGenerateRequest(Array(body.utf8).span.bytes).responseFormat == nil)
    }
}

@Suite("Ollama's embeddings")
struct OllamaEmbedTests {
    @Test("a text or a list of texts is read, in either form")
    func requests() throws {
        let list = try OllamaEmbed.readRequest(Array(#"{"model":"m","input":["a","b"],"dimensions":3,"truncate":true}"#.utf8).span.bytes)
        #expect(list == EmbeddingsRequest(inputs: [.text("a"), .text("b")], dimensions: 3))
        #expect(try OllamaEmbed.readRequest(Array(#"{"input":"a"}"#.utf8).span.bytes).inputs == [.text("a")])
        #expect(try OllamaEmbed.readLegacyRequest(Array(#"{"prompt":"a"}"#.utf8).span.bytes).inputs == [.text("a")])
        #expect(String(decoding: try OllamaEmbed.writeRequest(list), as: UTF8.self) == #"{"input":["a","b"],"dimensions":3}"#)
    }

    @Test(
        "a request that Ollama would refuse is refused by name", arguments: [#"{}"#, #"{"input":[]}"#, #"{"input":[1]}"#, #"{"input":5}"#])
    func wrongRequests(body: String) {
        let error = #expect(throws: ProviderError.self) { try OllamaEmbed.readRequest(Array(body.utf8).span.bytes) }
        #expect(error?.failure == .clientError && error?.param?.hasPrefix("input") == true)
    }

    @Test("tokens can't be sent")
    func tokens() {
        #expect(throws: ProviderError.self) { try OllamaEmbed.writeRequest(EmbeddingsRequest(inputs: [.tokens([1])])) }
    }

    @Test("a response that is written reads back equal", arguments: [OllamaEmbed.format, OllamaEmbed.legacy])
    func responses(format: WireFormat) throws {
        let vectors = EmbeddingsResponse(vectors: format == OllamaEmbed.legacy ? [[0.5, -0.25]] : [[0.5, -0.25], [1, 0]])
        let written = OllamaEmbed.writeResponse(vectors, format, model: "m", usage: Usage(promptTokens: 7), .sample)
        var decoder = OllamaEmbedDecoder(readsVectors: true), sink = ResponseSink()
        try decoder.finish(written.span.bytes, into: &sink)
        guard case .embeddings(vectors)? = sink.parts.first else { return #expect(Bool(false), "other vectors") }
        #expect(sink.isComplete && (sink.usage?.promptTokens == 7) == (format == OllamaEmbed.format))
    }

    @Test(
        "a response without vectors is none",
        arguments: [#"{"error":"no"}"#, "{}", #"{"embeddings":[["x"]]}"#, #"{"embeddings":[[0.5]"#, ""])
    func wrongResponses(body: String) {
        for readsVectors in [true, false] where readsVectors || !body.contains("x") {
            var decoder = OllamaEmbedDecoder(readsVectors: readsVectors), sink = ResponseSink()
            #expect(throws: ProviderError.self) { try decoder.finish(Array(body.utf8).span.bytes, into: &sink) }
        }
    }
}
