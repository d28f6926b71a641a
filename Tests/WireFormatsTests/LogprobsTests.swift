import Codecs
import ProviderKit
import Testing

@testable import WireFormats

/// Log probabilities, which only the demo has in a translated response.
@Suite("log probabilities")
struct LogprobsTests {
    private static let tokens = [
        ChatToken("Hi", logprob: -0.25, likeliest: [ChatToken("Hi", logprob: -0.25), ChatToken("é", logprob: -2)]),
        ChatToken(" you", logprob: -0.5),
    ]

    private static let events: [ChatEvent] = [
        .start(id: nil, model: "m"), .logprobs([tokens[0]]), .text("Hi"), .logprobs([tokens[1]]), .text(" you"), .finish(.stop),
    ]

    @Test(
        "each client's format that has them gets them, in a stream with their text",
        arguments: [
            (
                ChatFormat.openai,
                #"{"token":"Hi","logprob":-0.25,"bytes":[72,105],"top_logprobs":[{"token":"Hi","logprob":-0.25,"bytes":[72,105]},{"token":"é","logprob":-2.0,"bytes":[195,169]}]}"#,
                #""content":"Hi""#
            ),
            (
                .responses,
                #"{"token":"Hi","logprob":-0.25,"top_logprobs":[{"token":"Hi","logprob":-0.25},{"token":"é","logprob":-2.0}]}"#,
                #""delta":"Hi""#
            ),
            (
                .gemini,
                #"{"topCandidates":[{"candidates":[{"token":"Hi","logProbability":-0.25},{"token":"é","logProbability":-2.0}]}],"chosenCandidates":[{"token":"Hi","logProbability":-0.25}]}"#,
                #"{"text":"Hi"}"#
            ),
            (
                .ollama,
                #"{"token":"Hi","logprob":-0.25,"bytes":[72,105],"top_logprobs":[{"token":"Hi","logprob":-0.25,"bytes":[72,105]},{"token":"é","logprob":-2.0,"bytes":[195,169]}]}"#,
                #""content":"Hi""#
            ),
        ])
    func streams(format: ChatFormat, token: String, text: String) throws {
        let stream = String(decoding: try format.written(Self.events, nil, isStream: true, isComplete: true), as: UTF8.self)
        let chunk = try #require(stream.split(separator: "\n").first { $0.contains(text) })
        #expect(chunk.contains(token) && !chunk.contains(" you"), "\(chunk)")
    }

    @Test("a response that isn't streamed has those of all its text")
    func buffered() throws {
        func response(_ format: ChatFormat) throws -> JSONTree? {
            let written = try format.written(Self.events, nil, isStream: false, isComplete: true)
            return JSONTree(written.span.bytes)
        }
        func texts(_ list: JSONTree?) -> [String]? { list?.elements?.compactMap { $0["token"]?.string } }
        #expect(texts(try response(.openai)?["choices"]?.elements?.first?["logprobs"]?["content"]) == ["Hi", " you"])
        #expect(texts(try response(.ollama)?["logprobs"]) == ["Hi", " you"])
        let part = try response(.responses)?["output"]?.elements?.first?["content"]?.elements?.first
        #expect(texts(part?["logprobs"]) == ["Hi", " you"])
        let candidate = try response(.gemini)?["candidates"]?.elements?.first
        #expect(texts(candidate?["logprobsResult"]?["chosenCandidates"]) == ["Hi", " you"])
        #expect(candidate?["avgLogprobs"]?.double == -0.375)
    }

    @Test("a response without them has no member for them")
    func none() throws {
        for format in [ChatFormat.openai, .gemini, .ollama] {
            for isStream in [true, false] {
                let written = try format.written([.text("Hi"), .finish(.stop)], nil, isStream: isStream, isComplete: true)
                #expect(!String(decoding: written, as: UTF8.self).lowercased().contains("logprob"))
            }
        }
    }

    @Test(
        "a request for them is read, and refused by its own name where a provider has none",
        arguments: [
            (ChatFormat.openai, #""logprobs":true,"top_logprobs":2,"messages":[]"#, 2, "logprobs"),
            (.openai, #""logprobs":true,"messages":[]"#, 0, "logprobs"), (.openai, #""logprobs":false,"messages":[]"#, nil, ""),
            (.responses, #""top_logprobs":2,"input":"a""#, 2, "top_logprobs"),
            (.responses, #""include":["message.output_text.logprobs"],"input":"a""#, 0, "top_logprobs"),
            (.gemini, #""generationConfig":{"responseLogprobs":true,"logprobs":2},"contents":[]"#, 2, "generationConfig.responseLogprobs"),
            (.gemini, #""generation_config":{"response_logprobs":true},"contents":[]"#, 0, "generationConfig.responseLogprobs"),
            (.ollama, #""logprobs":true,"top_logprobs":2,"messages":[]"#, 2, "logprobs"),
        ] as [(ChatFormat, String, Int?, String)])
    func requests(client: ChatFormat, members: String, count: Int?, name: String) throws {
        let body = Array("{\(members)}".utf8), request = try client.read(body.span.bytes)
        #expect(request.topLogprobs == count)
        guard count != nil else { return }
        for provider in ChatFormat.allCases where provider != client {
            let call = Call(operation: .chat, model: "m", isStream: false, format: client.format, payload: .chat(request))
            let error = #expect(throws: ProviderError.self) { try provider.sources(for: call, body: body.span.bytes) }
            #expect(error?.failure == .unsupported && error?.param == name)
        }
    }
}
