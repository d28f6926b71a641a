import OpenAICompatible
import ProviderKit
import Testing

@Suite("what the OpenAI plugin reads in a response")
struct OpenAIContentTests {
    let provider = OpenAICompatibleProvider(.sample)

    @Test(
        "a refusal and a stop by the content filter count as filtered, other ends don't",
        arguments: [
            (#""delta":{},"finish_reason":"content_filter""#, true),
            (#""delta":{},"finish_reason":"content_filter: PROHIBITED_CONTENT""#, true),
            (#""delta":{},"finish_reason":"refusal""#, true), (#""delta":{},"finish_reason":"SAFETY""#, true),
            (#""delta":{},"finish_reason":"sensitive""#, true),
            (#""delta":{},"finish_reason":"RECITATION""#, true), (#""delta":{"refusal":"I can't"},"finish_reason":null"#, true),
            (#""message":{"content":null,"refusal":"I can't"},"finish_reason":"stop""#, true),
            (#""delta":{"refusal":null},"finish_reason":"stop""#, false), (#""delta":{"refusal":""},"finish_reason":null"#, false),
            (#""delta":{"refusal":{"a":1}},"finish_reason":null"#, false),
            (#""delta":{},"finish_reason":"length""#, false), (#""delta":{},"finish_reason":"tool_calls""#, false),
            (#""delta":{},"finish_reason":"eos""#, false),
            (#""delta":{"content":"content_filter"},"finish_reason":"stop""#, false), (#""delta":{},"finish_reason":"""#, false),
        ])
    func filtered(choice: String, isFiltered: Bool) throws {
        #expect(try read(#"{"choices":[{"index":0,\#(choice)}]}"#).signals.isFiltered == isFiltered)
    }

    @Test("every finish reason except an empty one ends a choice", arguments: [("stop", 1), ("eos", 1), ("content_filter", 1), ("", 0)])
    func finishes(reason: String, count: Int) throws {
        #expect(try read(#"{"choices":[{"index":0,"delta":{},"finish_reason":"\#(reason)"}]}"#).signals.finishes == count)
    }

    @Test(
        "a tool call is found, an empty list of tool calls is not one",
        arguments: [
            (#"{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}"#, true), (#"{"function_call":{"name":"f"}}"#, true),
            (#"{"tool_calls":[]}"#, false),
            (#"{"tool_calls":null}"#, false), (#"{"function_call":{}}"#, false), (#"{"content":"tool_calls"}"#, false),
        ])
    func toolCalls(delta: String, hasToolCall: Bool) throws {
        #expect(try read(#"{"choices":[{"index":0,"delta":\#(delta)}]}"#).signals.hasToolCall == hasToolCall)
    }

    @Test("if requested, the text of the first choice is collected, without reasoning, refusals and tool calls")
    func text() throws {
        let chunks = [
            #"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
            #"{"choices":[{"delta":{"reasoning_content":"hm","content":"Привет "},"index":0}]}"#,
            #"{"choices":[{"index":0,"delta":{"content":"\"a\\\n\ud83d\ude80"}}]}"#,
            #"{"choices":[{"index":0,"delta":{"reasoning":"x"}}]}"#,
            #"{"choices":[{"delta":{"content":" end"}}]}"#, #"{"choices":[{"index":0,"delta":{"content":null},"finish_reason":"stop"}]}"#,
        ]
        #expect(try read(chunks, keepsText: true).text == "Привет \"a\\\n🚀 end")
        #expect(try read(chunks, keepsText: false).text == nil)
        #expect(try read([#"{"choices":[{"index":0,"delta":{"role":"assistant"}}]}"#], keepsText: true).text == nil)
    }

    @Test("no text is collected if it comes in parts")
    func textInParts() throws {
        let first = #"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#
        #expect(
            try read([first, #"{"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"b"}]}}]}"#, first], keepsText: true).text
                == nil)
        #expect(try read([first, #"{"choices":[{"index":0,"delta":{"content":[]}}]}"#], keepsText: true).text == "a")
    }

    @Test("no text is collected if there are several choices")
    func severalChoices() throws {
        let first = #"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#, second = #"{"choices":[{"index":1,"delta":{"content":"b"}}]}"#
        #expect(try read([first, second, first], keepsText: true).text == nil)
        #expect(try read([second, first], keepsText: true).text == nil)
        // A choice without content doesn't count.
        #expect(try read([#"{"choices":[{"index":1,"delta":{"role":"assistant","content":""}}]}"#, first], keepsText: true).text == "a")
    }

    @Test("a text that is too long to be continued is discarded")
    func longText() throws {
        var sink = ResponseSink()
        let half = String(repeating: "x", count: ResponseSink.maxTextBytes / 2)
        sink.keep(text: half)
        sink.keep(text: half)
        #expect(sink.text?.utf8.count == ResponseSink.maxTextBytes)
        sink.keep(text: "x")
        #expect(sink.text == nil)
        sink.keep(text: "x")
        #expect(sink.text == nil)
    }

    @Test(
        "if the parts contradict the total, the total counts, and the report is marked as inconsistent",
        arguments: [
            (#""prompt_tokens":10,"completion_tokens":3,"total_tokens":20"#, 10, 10),
            (#""prompt_tokens":100,"completion_tokens":50,"total_tokens":120"#, 100, 20),
            (#""prompt_tokens":100,"completion_tokens":50,"total_tokens":60"#, 10, 50),
            (#""prompt_tokens":100,"completion_tokens":50,"total_tokens":40"#, 0, 40),
            (#""prompt_tokens":100,"total_tokens":60"#, 60, 0), (#""completion_tokens":100,"total_tokens":60"#, 0, 60),
        ])
    func inconsistentUsage(json: String, prompt: Int, completion: Int) throws {
        let usage = try #require(try read(#"{"choices":[],"usage":{\#(json)}}"#).usage)
        #expect(usage.promptTokens == prompt && usage.completionTokens == completion && usage.isInconsistent)
    }

    @Test("usage is read in a choice, but the usage of the response takes precedence")
    func usageOfChoice() throws {
        let own = #""usage":{"prompt_tokens":1,"completion_tokens":2}"#, whole = #""usage":{"prompt_tokens":3,"completion_tokens":4}"#
        let choices = #""choices":[{"index":0,"delta":{},"finish_reason":"stop",\#(own)}]"#
        #expect(try read("{\(choices)}").usage == Usage(promptTokens: 1, completionTokens: 2))
        for json in ["{\(choices),\(whole)}", "{\(whole),\(choices)}"] {
            #expect(try read(json).usage == Usage(promptTokens: 3, completionTokens: 4))
        }
        #expect(try read(#"{"choices":[{"index":0,"delta":{"content":"a"},"usage":null}]}"#).usage == nil)
    }

    @Test(
        "usage of zeros doesn't replace usage that says more",
        arguments: [#"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#, "{}", "null"])
    func zeros(usage: String) throws {
        let real = #"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#
        let last = #"{"choices":[],"usage":\#(usage)}"#
        for chunks in [[real, last], [last, real]] {
            #expect(try read(chunks, keepsText: false).usage == Usage(promptTokens: 3, completionTokens: 4))
        }
        let both = #"{"choices":[],"x_groq":{"usage":{"prompt_tokens":3,"completion_tokens":4}},"usage":\#(usage)}"#
        #expect(try read(both).usage == Usage(promptTokens: 3, completionTokens: 4))
    }

    @Test(
        "usage is read in every spelling, zero stays zero and unknown stays unknown",
        arguments: [
            (
                #"{"prompt_tokens":0,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":3}}"#,
                Usage(promptTokens: 0, completionTokens: 7, cachedTokens: 3)
            ),
            (#"{"prompt_tokens":9,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":5}"#, Usage(promptTokens: 9, cachedTokens: 4)),
            (#"{"cached_tokens":0}"#, Usage(cachedTokens: 0)),
            (#"{"cached_tokens":1,"prompt_cache_hit_tokens":2,"prompt_tokens_details":{"cached_tokens":0}}"#, Usage(cachedTokens: 0)),
            (#"{"cached_tokens":1,"prompt_cache_hit_tokens":2,"prompt_tokens_details":{"image_tokens":0}}"#, Usage(cachedTokens: 2)),
            (#"{"prompt_tokens_details":null,"cached_tokens":1}"#, Usage(cachedTokens: 1)),
            (
                #"{"completion_tokens":9,"completion_tokens_details":{"reasoning_tokens":0}}"#,
                Usage(completionTokens: 9, reasoningTokens: 0)
            ), (#"{"reasoning_tokens":5}"#, Usage(reasoningTokens: 5)),
            // The total shows that the reasoning is counted beside the completion.
            (
                #"{"prompt_tokens":10,"completion_tokens":3,"total_tokens":18,"completion_tokens_details":{"reasoning_tokens":5}}"#,
                Usage(promptTokens: 10, completionTokens: 8, reasoningTokens: 5)
            ),
            (
                #"{"prompt_tokens":10,"completion_tokens":8,"total_tokens":18,"completion_tokens_details":{"reasoning_tokens":5}}"#,
                Usage(promptTokens: 10, completionTokens: 8, reasoningTokens: 5)
            ),
            (#"{"prompt_tokens":10,"completion_tokens":8,"total_tokens":0}"#, Usage(promptTokens: 10, completionTokens: 8)),
            // The total shows that the cached tokens are counted beside the prompt.
            (
                #"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":210,"prompt_tokens_details":{"cached_tokens":60}}"#,
                Usage(promptTokens: 160, completionTokens: 50, cachedTokens: 60)
            ),
            (
                #"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":230,"cached_tokens":60,"reasoning_tokens":20}"#,
                Usage(promptTokens: 160, completionTokens: 70, cachedTokens: 60, reasoningTokens: 20)
            ),
            // So does a proxy of Anthropic, with Anthropic's names or new-api's.
            (
                #"{"prompt_tokens":50,"completion_tokens":10,"total_tokens":1010,"cache_read_input_tokens":900,"cache_creation_input_tokens":50}"#,
                Usage(promptTokens: 1000, completionTokens: 10, cachedTokens: 900, cacheWriteTokens: 50)
            ),
            (
                #"{"prompt_tokens":50,"completion_tokens":10,"total_tokens":1010,"prompt_tokens_details":{"cached_tokens":900,"cached_creation_tokens":50}}"#,
                Usage(promptTokens: 1000, completionTokens: 10, cachedTokens: 900, cacheWriteTokens: 50)
            ),
            (
                #"{"prompt_tokens":50,"completion_tokens":10,"total_tokens":1017,"reasoning_tokens":7,"cached_tokens":900,"cache_creation_input_tokens":50}"#,
                Usage(promptTokens: 1000, completionTokens: 17, cachedTokens: 900, reasoningTokens: 7, cacheWriteTokens: 50)
            ),
            // LiteLLM counts them in the prompt.
            (
                #"{"prompt_tokens":1000,"completion_tokens":10,"total_tokens":1010,"cache_read_input_tokens":900,"cache_creation_input_tokens":50}"#,
                Usage(promptTokens: 1000, completionTokens: 10, cachedTokens: 900, cacheWriteTokens: 50)
            ),
            // The names of the Responses format.
            (
                #"{"input_tokens":9,"output_tokens":7,"total_tokens":16,"input_tokens_details":{"cached_tokens":4},"output_tokens_details":{"reasoning_tokens":5}}"#,
                Usage(promptTokens: 9, completionTokens: 7, cachedTokens: 4, reasoningTokens: 5)
            ),
            (#"{"input_tokens":0,"output_tokens":0,"total_tokens":0}"#, Usage(promptTokens: 0, completionTokens: 0)),
            // The total gives the part that is missing.
            (#"{"prompt_tokens":100,"total_tokens":150}"#, Usage(promptTokens: 100, completionTokens: 50)),
            (#"{"completion_tokens":50,"total_tokens":150}"#, Usage(promptTokens: 100, completionTokens: 50)),
            (#"{"prompt_tokens":2,"cost":0.00123}"#, Usage(promptTokens: 2, costUSD: 0.00123)), (#"{"cost":0}"#, Usage(costUSD: 0)),
            (#"{"prompt_tokens":1,"cost":{"total_cost":1}}"#, Usage(promptTokens: 1)),
            (#"{"prompt_tokens":1,"cost":-1,"cached_tokens":-1,"completion_tokens":"7"}"#, Usage(promptTokens: 1)), (#"{}"#, nil),
            (#"{"total_tokens":5}"#, nil), (#"null"#, nil),
        ] as [(String, Usage?)])
    func usage(json: String, expected: Usage?) throws {
        #expect(try read(#"{"choices":[{"delta":{}}],"x_groq":{"id":"r","usage":\#(json)}}"#).usage == expected)
        #expect(try read(#"{"choices":[{"index":0,"delta":{"content":"x"}}],"usage":\#(json)}"#).usage == expected)
    }

    /// Chunks that differ only in a text, and chunks that only look so. `#` is the text.
    static let shapes = [
        ##"{"id":"c","choices":[{"index":0,"delta":{"content":#},"finish_reason":null}]}"##,
        ##"{"id":"d","choices":[{"index":0,"delta":{"content":#},"finish_reason":null}]}"##,
        ##"{"id":"c","choices":[{"index":0,"delta":{"content":#},"finish_reason":"stop"}]}"##,
        ##"{"id":"c","choices":[{"index":1,"delta":{"content":#},"finish_reason":null}]}"##,
        ##"{"choices":[{"delta":{"content":#}}],"obfuscation":"xy"}"##, ##"{"choices":[{"delta":{"content":#}}],"obfuscation":"xyz"}"##,
        ##"{"choices":[{"delta":{"content":#}}],"obfuscation":"x","a":1}"##,
        ##"{"obfuscation":"xy","choices":[{"delta":{"content":#}}]}"##,
        ##"{"choices":[{"delta":{"content":#}}],"obfuscation":"xy","obfuscation":"z"}"##,
        ##"{"choices":[{"delta":{"content":#}}],"obfuscation":7}"##, ##"{"choices":[{"delta":{"content":#}}],"obfuscation":"\x"}"##,
        ##"{"choices":[{"delta":{"content":#}}],"obfuscation":"x"##,
        ##"{"choices":[{"delta":{"content":#,"refusal":"no"}}]}"##, ##"{"choices":[{"delta":{"content":#,"reasoning":"why"}}]}"##,
        ##"{"choices":[{"delta":{"content":#,"tool_calls":[{"index":0}]}}]}"##,
        ##"{"choices":[{"delta":{"content":"a","content":#}}]}"##, ##"{"choices":[{"delta":{"content":[#]}}]}"##,
        ##"{"choices":[{"delta":{"content":#}}],"usage":{"prompt_tokens":1}}"##,
        ##"{"choices":[{"delta":{"content":#}},{"index":1,"delta":{"content":"b"}}]}"##,
        ##"{"choices":[{"delta":{"content":#}}],"error":{"message":"m"}}"##,
        ##"{"choices":[{"delta":{"content":#}}],"_router":{}}"##, ##"  {"choices":[{"delta":{"content":#}}]}  "##,
        ##"{"choices":[{"delta":{"content": #}}]}"##, ##"{"choices":[{"delta":{"content":#}}]}"##,
        ##"{"choices":[{"delta":{"content":#}}]"##, ##"{"choices":[{"delta":{"content":#}}]}}"##,
    ]
    static let texts = [
        #""a""#, #""""#, #""long enough for more than one word, Привет 🚀""#, #""\"\\\u0041""#, #""\x""#, "\"a\u{1}\"", #""a" "#, "null",
        "7", #"["a"]"#, #""a","b":"c""#,
    ]

    @Test("a chunk decodes to the same, whatever chunks came before", arguments: shapes)
    func pattern(shape: String) throws {
        for text in Self.texts {
            let chunk = shape.replacing("#", with: text)
            let alone = decoded(chunk, after: [])
            for before in Self.shapes {
                for textBefore in [#""b""#, #""""#, text] {
                    let first = before.replacing("#", with: textBefore)
                    guard let result = decoded(chunk, after: [first]) else { continue }
                    #expect(result == alone, "\(chunk) after \(first)")
                }
            }
            guard let result = decoded(chunk, after: Array(repeating: shape.replacing("#", with: #""b""#), count: 20)) else { continue }
            #expect(result == alone, "\(chunk) after twenty like it")
        }
    }

    /// The result of decoding `chunk` after others, as text; nil if one of those has ended the stream.
    private func decoded(_ chunk: String, after others: [String]) -> String? {
        guard
            var decoder = try? provider.decoder(
                for: .sample(isStream: true, keepsText: true), head: .eventStream)
        else { return nil }
        for other in others {
            var sink = ResponseSink()
            guard (try? decoder.decode(Array("data: \(other)\n\n".utf8).span.bytes, into: &sink)) != nil else { return nil }
        }
        var sink = ResponseSink()
        do {
            let consumed = try decoder.decode(Array("data: \(chunk)\n\n".utf8).span.bytes, into: &sink)
            return "\(consumed) \(sink.parts) \(sink.signals) \(sink.text ?? "-") \(String(describing: sink.usage))"
        } catch {
            return "\(error)"
        }
    }

    private func read(_ chunk: String) throws -> (signals: Signals, usage: Usage?) {
        let sink = try read([chunk], keepsText: false)
        return (sink.signals, sink.usage)
    }

    private func read(_ chunks: [String], keepsText: Bool) throws -> ResponseSink {
        var decoder = try provider.decoder(
            for: .sample(isStream: true, keepsText: keepsText), head: .eventStream)
        var sink = ResponseSink()
        for chunk in chunks { _ = try decoder.decode(Array("data: \(chunk)\n\n".utf8).span.bytes, into: &sink) }
        return sink
    }
}
