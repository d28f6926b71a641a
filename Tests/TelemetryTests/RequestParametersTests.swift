import Codecs
import ProviderKit
import Testing

@testable import Telemetry

/// The attributes of a request's parameters.
struct RequestParametersTests {
    private static func attributes(_ body: String, defaults: [BodyField] = [], overrides: [BodyField] = []) -> String {
        var writer = JSONWriter()
        writer.array {
            RequestParameters(Array(body.utf8).span.bytes, defaults: defaults, overrides: overrides).write(to: &$0) {
                $0.replacing("hidden", with: "-")
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func field(_ key: String, _ json: String) -> BodyField { BodyField(key: key, json: Array(json.utf8)) }

    private static func real(_ name: String, _ value: String) -> String {
        #"{"key":"gen_ai.request.\#(name)","value":{"doubleValue":\#(value)}}"#
    }

    static let bodies = [
        #"{"temperature":0.5,"messages":[{"temperature":1}],"top_p":0.25,"top_k":null}"#,
        #"{"contents":[],"generationConfig":{"temperature":0.5,"topP":0.25}}"#,
        #"{"messages":[],"options":{"temperature":0.5,"top_p":0.25,"num_ctx":1}}"#,
    ]

    @Test(arguments: bodies)
    func `the parameters of each format have the same attributes`(body: String) {
        #expect(Self.attributes(body) == "[\(Self.real("temperature", "0.5")),\(Self.real("top_p", "0.25"))]")
    }

    @Test
    func `numbers are numbers, and texts are a list without secrets`() {
        let text = Self.attributes(
            #"{"seed":7,"stop":"hidden","encoding_format":"float","frequency_penalty":-1.5,"presence_penalty":"high"}"#)
        #expect(
            text == #"[{"key":"gen_ai.request.seed","value":{"intValue":"7"}},"#
                + #"{"key":"gen_ai.request.stop_sequences","value":{"arrayValue":{"values":[{"stringValue":"-"}]}}},"#
                + Self.real("frequency_penalty", "-1.5")
                + #",{"key":"gen_ai.request.encoding_formats","value":{"arrayValue":{"values":[{"stringValue":"float"}]}}}]"#)
        #expect(Self.attributes(#"{"stop":["a","b"]}"#).contains(#"[{"stringValue":"a"},{"stringValue":"b"}]"#))
    }

    @Test
    func `the policy's defaults are there if the client says nothing, and its overrides in any case`() {
        let text = Self.attributes(
            #"{"temperature":0.5,"top_p":0.25}"#, defaults: [Self.field("temperature", "1"), Self.field("seed", "1")],
            overrides: [Self.field("top_p", "0.75"), Self.field("unknown", "{}")])
        #expect(
            text == "[\(Self.real("temperature", "0.5")),\(Self.real("top_p", "0.75"))"
                + #",{"key":"gen_ai.request.seed","value":{"intValue":"1"}}]"#)
    }

    @Test func `an override of null removes a parameter`() {
        let nulls = [Self.field("temperature", "null"), Self.field("options", #"{"top_p":null}"#)]
        #expect(Self.attributes(#"{"temperature":0.5,"options":{"top_p":0.25}}"#, overrides: nulls) == "[]")
    }

    @Test(arguments: ["", "[]", "--form\r\n", "{\"temperature\":"])
    func `a body that is no JSON object has none`(body: String) {
        #expect(Self.attributes(body) == "[]")
    }
}
