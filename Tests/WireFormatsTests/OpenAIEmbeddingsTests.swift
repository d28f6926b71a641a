import Codecs
import ProviderKit
import Testing

@testable import WireFormats

@Suite("OpenAI's embeddings format")
struct OpenAIEmbeddingsTests {
    @Test("a request that is written reads back equal", arguments: 0..<100)
    func requests(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        let inputs = (0...Int.random(in: 0...4, using: &random)).map { _ -> EmbeddingsRequest.Input in
            Bool.random(using: &random) ? .text("Привет \"🚀\"\n") : .tokens((0...3).map { _ in Int.random(in: 0...99_999, using: &random) })
        }
        let request = EmbeddingsRequest(inputs: inputs, dimensions: Bool.random(using: &random) ? 256 : nil, user: "u")
        #expect(try OpenAIEmbeddings.readRequest(OpenAIEmbeddings.writeRequest(request).span.bytes) == request)
    }

    @Test("vectors that are written reads back equal, as numbers and in base64", arguments: 0..<100)
    func responses(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        let vectors = (0...Int.random(in: 0...3, using: &random)).map { _ in
            (0..<Int.random(in: 1...9, using: &random)).map { _ in Float(bitPattern: UInt32.random(in: 0...0x7F00_0000, using: &random)) }
        }
        let response = EmbeddingsResponse(vectors: vectors)
        for encoding in [OpenAIEmbeddings.Encoding.float, .base64] {
            let written = OpenAIEmbeddings.writeResponse(response, model: "m", usage: Usage(promptTokens: 3), encoding)
            #expect(OpenAIEmbeddings.readResponse(written.span.bytes) == response)
        }
    }

    @Test("base64 is little-endian 32-bit floats")
    func base64() throws {
        #expect(VectorText.encoded([1, -2]) == "AACAPwAAAMA=")
        #expect(VectorText.decoded("AACAPwAAAMA=") == [1, -2])
        #expect(VectorText.decoded("AACAPwAAAM") == nil)
        #expect(VectorText.decoded("!") == nil)
    }

    @Test(
        "the input is a text, tokens, or a list of these",
        arguments: [
            (#""a""#, [EmbeddingsRequest.Input.text("a")]), (#"["a","b"]"#, [.text("a"), .text("b")]), ("[1,2]", [.tokens([1, 2])]),
            ("[[1,2],[3]]", [.tokens([1, 2]), .tokens([3])]),
        ])
    func inputs(json: String, expected: [EmbeddingsRequest.Input]) throws {
        #expect(try OpenAIEmbeddings.readRequest(Array(#"{"input":\#(json)}"#.utf8).span.bytes).inputs == expected)
    }

    @Test(
        "a wrong request is refused with the place of the mistake",
        arguments: [
            ("{}", "input"), (#"{"input":[]}"#, "input"), (#"{"input":7}"#, "input"), (#"{"input":[1,"a"]}"#, "input[1]"),
            (#"{"input":[["a"]]}"#, "input[0][0]"), (#"{"input":"a","dimensions":"x"}"#, "dimensions"),
            (#"{"input":"a","encoding_format":"hex"}"#, "encoding_format"),
        ])
    func wrong(json: String, param: String) {
        let error = #expect(throws: ProviderError.self) { try OpenAIEmbeddings.readRequest(Array(json.utf8).span.bytes) }
        #expect(error?.failure == .clientError && error?.status == 400 && error?.param == param)
    }

    // MARK: Responses that pass through

    private func decode(_ body: String, typed: Bool = false) throws -> ResponseSink {
        let payload = typed ? Payload.embeddings(EmbeddingsRequest(inputs: [.text("a")])) : .members([])
        let call = Call(operation: .embeddings, model: "m", isStream: false, format: OpenAIEmbeddings.format, payload: payload)
        var decoder = try OpenAIObjects.decoder(for: call, head: UpstreamHead(status: 200, bodyForm: .jsonObject))
        var sink = ResponseSink()
        #expect(try decoder.decode(Array(body.utf8).span.bytes, into: &sink) == 0)
        try decoder.finish(Array(body.utf8).span.bytes, into: &sink)
        return sink
    }

    @Test("a response passes as it is, and its usage is read wherever it stands, also at the end of a long one")
    func usage() throws {
        let numbers = String(repeating: "0.25,", count: 300_000) + "1"
        for body in [
            #"{"object":"list","data":[{"embedding":[0.5]}],"usage":{"prompt_tokens":7,"total_tokens":7}}"#,
            #"{"usage":{"prompt_tokens":7,"total_tokens":7},"data":[{"embedding":"AACAPw=="}]} "#,
            #"{"data":[{"embedding":[\#(numbers)]}],"model":"m","usage":{"prompt_tokens":7,"total_tokens":7}}"# + "\n",
        ] {
            let sink = try decode(body)
            #expect(sink.usage?.promptTokens == 7 && sink.usage?.completionTokens == 0 && sink.isComplete)
            guard case .buffered(let range, _)? = sink.parts.first else { return #expect(Bool(false), "the object does not pass") }
            #expect(range == 0..<(body.utf8.lastIndex(of: UInt8(ascii: "}"))?.utf16Offset(in: body) ?? 0) + 1)
        }
    }

    @Test(
        "an error inside a success, a truncated object and an object without vectors are failures",
        arguments: [
            (#"{"error":{"message":"no such model","code":"model_not_found"}}"#, FailureClass.notFound),
            (#"{"message":"boom","code":500}"#, .upstreamError), (#"{"data":[{"embedding":[0.5]}"#, .upstreamError), ("{", .upstreamError),
        ])
    func failures(body: String, failure: FailureClass) {
        #expect((#expect(throws: ProviderError.self) { try decode(body) })?.failure == failure)
    }

    @Test("vectors are read for clients with another format, in the order of their indices")
    func typed() throws {
        let sink = try decode(
            #"{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":"AACAPw=="}],"usage":{"prompt_tokens":1}}"#, typed: true)
        guard case .embeddings(let response)? = sink.parts.first else { return #expect(Bool(false), "no vectors") }
        #expect(response.vectors == [[1], [2]])
        #expect((#expect(throws: ProviderError.self) { try decode(#"{"data":[{"index":0}]}"#, typed: true) })?.failure == .upstreamError)
    }
}
