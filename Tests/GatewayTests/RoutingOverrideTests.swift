import HTTPWire
import NIOCore
import RoutingPolicy
import Testing

@testable import Gateway
@testable import HTTPWire

/// The header fields of a head that has these lines.
func headerFields(_ lines: [String]) throws -> HTTPFields {
    var input = ByteBuffer(string: (["POST / HTTP/1.1", "Host: router", "User-Agent: test"] + lines + ["", ""]).joined(separator: "\r\n"))
    var parser = RequestParser()
    return try #require(try parser.next(&input, limits: HeadLimits(headBytes: 32768, targetBytes: 8192, fields: 100))).head.fields
}

@Suite("routing overrides")
struct RoutingOverrideTests {
    struct Bounds: CustomTestStringConvertible {
        var field: String
        /// As JSON. The header of a string is the text without the quotes.
        var good: [String]
        var bad: [String]
        /// Values that only a body can have.
        var badTypes: [String]
        /// Values that only a header can have.
        var badTexts: [String] = []

        var testDescription: String { field }
    }

    static let bounds = [
        Bounds(
            field: "min_context_size", good: ["1", "1000000000"], bad: ["0", "-1", "1000000001", "1.5"],
            badTypes: [#""8""#, "true", "[]", "{}", "1e30"],
            badTexts: ["1e3", "+8", "8k", "0x8", "١"]),
        Bounds(
            field: "min_max_output_tokens", good: ["1", "1000000000"], bad: ["0", "1000000001", "99999999999999999999"],
            badTypes: [#""8""#, "false"]),
        Bounds(
            field: "min_success_rate", good: ["0", "1", "0.5"], bad: ["-0.001", "1.001", "2"], badTypes: [#""0.5""#, "true", "1e999"],
            badTexts: ["NaN", "inf", "0x1p-1", "1e-1", ".", "half"]),
        Bounds(field: "max_model_switches", good: ["1", "10"], bad: ["0", "11"], badTypes: [#""3""#, "[1]"]),
        Bounds(field: "max_same_model_retries", good: ["0", "10"], bad: ["-1", "11"], badTypes: [#""3""#]),
        Bounds(field: "retry_delay", good: ["0", "30000"], bad: ["-1", "30001", "0.5"], badTypes: [#""5""#]),
        Bounds(
            field: "timeout_secs", good: ["1", "600", "1.5", "599.999", "0.5", "0.001"], bad: ["0", "601", "600.1", "0.0009", "-1"],
            badTypes: [#""5""#, "true"],
            badTexts: ["7s", "1e2"]),
        Bounds(
            field: "type", good: [#""fast""#, #""reasoning""#, #""""#], bad: [#""slow""#, #""Fast""#],
            badTypes: ["true", "1", #"["fast"]"#]),
        Bounds(
            field: "selection_mode", good: [#""weighted_random""#, #""best""#, #""top_n_random""#, #""""#], bad: [#""top3""#],
            badTypes: ["1"]),
        Bounds(field: "supports_image", good: ["true", "false"], bad: [#""yes""#, "1"], badTypes: [#""true""#]),
        Bounds(field: "supports_video", good: ["true", "false"], bad: [#""on""#], badTypes: ["0"]),
        Bounds(field: "supports_audio", good: ["true", "false"], bad: [#""on""#], badTypes: ["0"]),
        Bounds(field: "supports_file", good: ["true", "false"], bad: [#""on""#], badTypes: ["0"]),
        Bounds(field: "supports_tools", good: ["true", "false"], bad: [#""on""#], badTypes: ["0"]),
        Bounds(field: "json_response", good: ["true", "false"], bad: [#""on""#], badTypes: ["0"]),
        Bounds(field: "prefer_fast", good: ["true", "false"], bad: [#""on""#], badTypes: ["0"]),
        Bounds(
            field: "fallback_model", good: [#""m""#, #""""#, #"" ""#, "\"\(String(repeating: "m", count: 256))\""],
            bad: [#""a b""#, #""é""#, "\"\(String(repeating: "m", count: 257))\""], badTypes: ["1", #"["m"]"#, #""a\n""#]),
        Bounds(
            field: "tags", good: [#""fast""#, #""fast & !paid, vision""#, #""""#, #""a,""#, #""a,,b""#, #"" , ""#],
            bad: [#""&a""#, #""!""#, #""a b""#, #""a & , b""#], badTypes: ["1", "[1]", #"["a &"]"#]),
        Bounds(
            field: "model", good: [#""a""#, #""p/a""#, #""a, b,auto""#, #""a,,b""#, #""a,""#, #"",auto,""#, #""""#, #"" ""#],
            bad: [#"",""#, #"" , ,""#, #""auto, a""#], badTypes: ["1", "[]", "[1]", #"[""]"#, #"["", " "]"#, "{}"]),
    ]

    @Test("every override is tested")
    func completeness() {
        let fields = Set(Self.bounds.map(\.field))
        #expect(RoutingOverride.all.map { "\($0.name)" }.filter { !fields.contains($0) } == ["fallback_provider"])
    }

    @Test("an override takes the values within its bounds and refuses others, in a body and in a header", arguments: bounds)
    func withinBounds(_ bounds: Bounds) throws {
        let header = "x-router-" + bounds.field.split(separator: "_").joined(separator: "-")
        // An empty text, as forms send it, says nothing.
        for value in bounds.good + [#""""#] {
            #expect(throws: Never.self, "\(value)") { try readChat("{\"\(bounds.field)\":\(value)}") }
            #expect(throws: Never.self, "\(value)") { try readChat("{}", ["\(header): \(value.filter { $0 != "\"" })"]) }
        }
        for value in bounds.bad + bounds.badTypes {
            let error = try chatError("{\"\(bounds.field)\":\(value)}")
            #expect(error.status == 400 && error.code == "invalid_value" && error.param == bounds.field, "\(value)")
        }
        for value in bounds.bad + bounds.badTexts {
            let error = try chatError("{}", ["\(header): \(value.filter { $0 != "\"" })"])
            #expect(error.status == 400 && error.code == "invalid_value" && error.param == header, "\(value)")
        }
        #expect(try readChat("{\"\(bounds.field)\":null}").overrides == nil)
    }

    /// Every override, each with a value that is not its default.
    private static func everything() -> RoutingOverrides {
        var fields = RoutingOverrides()
        fields.tags = TagExpression(["fast & !paid", "vision"])
        fields.type = "reasoning"
        fields.minContext = 1000
        fields.minOutput = 200
        fields.supports = [.image, .video, .audio, .file, .tools, .json]
        fields.prefersFast = true
        fields.minSuccessRate = 0.25
        fields.selectionMode = .topNRandom
        fields.maxModelSwitches = 3
        fields.retries = 2
        fields.retryDelay = .milliseconds(250)
        fields.timeout = .seconds(7)
        fields.fallbackProvider = "p"
        fields.fallbackModel = "m"
        return fields
    }

    @Test("a body can give every override")
    func body() throws {
        let request = try readChat(
            """
            {"tags":["fast & !paid","vision"],"type":"reasoning","min_context_size":1e3,"min_max_output_tokens":200,"supports_image":true,"supports_video":true,
            "supports_audio":true,"supports_file":true,"supports_tools":true,"json_response":true,"prefer_fast":true,"min_success_rate":0.25,"selection_mode":"top_n_random",
            "max_model_switches":3,"max_same_model_retries":2,"retry_delay":250,"timeout_secs":7,"fallback_provider":"p","fallback_model":"m"}
            """)
        #expect(request.overrides?.fields == Self.everything())
        #expect(request.members.isEmpty)
    }

    @Test("headers can give every override, in any case", arguments: ["X-Router-Timeout", "x-router-timeout-secs"])
    func headers(timeout: String) throws {
        let request = try readChat(
            #"{"messages":[]}"#,
            [
                "x-router-model: a, p/b ,auto", "X-ROUTER-TAGS: fast & !paid, vision", "x-router-type: reasoning",
                "x-router-min-context-size: 1000",
                "x-router-min-max-output-tokens: 200", "x-router-supports-image: true", "x-router-supports-video: TRUE",
                "x-router-supports-audio: true",
                "x-router-supports-file: true", "x-router-supports-tools: true", "x-router-json-response: true",
                "x-router-prefer-fast: true",
                "x-router-min-success-rate: 0.25",
                "x-router-selection-mode: top_n_random", "x-router-max-model-switches: 3", "x-router-max-same-model-retries: 2",
                "x-router-retry-delay: 250",
                "\(timeout): 7", "x-router-fallback-provider: p", "x-router-fallback-model: m", "x-router-metadata: off",
            ])
        #expect(request.overrides?.fields == Self.everything())
        #expect(request.models == ["a", "p/b", "auto"])
    }

    @Test(
        "a list of models is tried in order; 'auto' may only be last",
        arguments: [
            (#"["a","b","auto"]"#, ["a", "b", "auto"]), (#"["auto"]"#, ["auto"]), (#"["a"]"#, ["a"]),
            (#"["1","2","3","4","5","6","7","8","9","auto"]"#, nil), (#""1,2 , 3,4,5,6,7,8,9, auto""#, nil),
            (#""p/meta-llama/a:free,b, auto""#, ["p/meta-llama/a:free", "b", "auto"]),
        ])
    func models(list: String, expected: [String]?) throws {
        #expect(try readChat("{\"model\":\(list)}").models == expected ?? (1...9).map(String.init) + ["auto"])
    }

    @Test("'auto' before the end and an eleventh name are refused")
    func tooManyModels() throws {
        let early = try chatError(#"{"model":["auto","a"]}"#)
        #expect(early.param == "model" && early.message.contains("'auto' may only be last"))
        #expect(try chatError(#"{"model":["auto","auto"]}"#).param == "model")
        #expect(try chatError("{\"model\":[\((1...11).map { "\"\($0)\"" }.joined(separator: ","))]}").param == "model")
        #expect(try chatError("{}", ["x-router-model: auto, a"]).param == "x-router-model")
        #expect(try chatError("{}", ["x-router-model: " + (1...11).map(String.init).joined(separator: ",")]).param == "x-router-model")
        #expect(try chatError("{}", ["x-router-model: ,"]).param == "x-router-model")
    }

    @Test(
        "empty entries in tags are ignored, and tags without any other entry count as absent",
        arguments: [
            ("[]", nil), (#""""#, nil), (#"[""," "]"#, nil), (#"["a",""]"#, "a"), (#"",a,""#, "a"), (#"["a, ,b & c"]"#, "a, b & c"),
        ] as [(String, String?)])
    func emptyTags(value: String, expected: String?) throws {
        #expect(try readChat("{\"tags\":\(value)}").overrides?.fields.tags?.description == expected)
        var defaults = RoutingOverrides()
        defaults.tags = TagExpression(["key"])
        #expect(try readChat("{\"tags\":\(value)}", defaults: defaults).overrides?.fields.tags?.description == expected ?? "key")
    }

    @Test("a timeout may be a fraction of a second")
    func fractions() throws {
        #expect(try readChat(#"{"timeout_secs":2.25}"#).overrides?.fields.timeout == .milliseconds(2250))
        #expect(try readChat("{}", ["x-router-timeout: 1.5"]).overrides?.fields.timeout == .milliseconds(1500))
    }

    @Test("up to 100 tags are taken")
    func tooManyTags() throws {
        let tags = { (count: Int) in (1...count).map { "t\($0)" } }
        #expect(try readChat("{\"tags\":\"\(tags(100).joined(separator: " & "))\"}").overrides?.fields.tags?.alternatives.count == 1)
        #expect(
            try readChat("{}", ["x-router-tags: " + tags(100).joined(separator: ",")]).overrides?.fields.tags?.alternatives.count == 100)
        #expect(try chatError("{\"tags\":\"\(tags(101).joined(separator: " & "))\"}").param == "tags")
        #expect(try chatError("{\"tags\":[\(tags(5000).map { "\"\($0)\"" }.joined(separator: ","))]}").param == "tags")
        #expect(try chatError("{}", ["x-router-tags: " + tags(101).joined(separator: ",")]).param == "x-router-tags")
    }

    @Test("the body takes precedence over the header, and the header over the key's default")
    func precedence() throws {
        var defaults = RoutingOverrides()
        defaults.type = "fast"
        defaults.timeout = .seconds(1)
        defaults.retries = 1
        let request = try readChat(
            #"{"timeout_secs":3,"model":"body"}"#, ["x-router-timeout: 2", "x-router-max-same-model-retries: 2", "x-router-model: header"],
            defaults: defaults)
        #expect(request.models == ["body"])
        #expect(request.overrides?.fields.timeout == .seconds(3))
        #expect(request.overrides?.fields.retries == 2)
        #expect(request.overrides?.fields.type == "fast")
        for empty in ["{}", #"{"model":null}"#, #"{"model":""}"#] {
            #expect(try readChat(empty, ["x-router-model: header"]).models == ["header"])
        }
        #expect(try readChat(#"{"timeout_secs":null}"#, ["x-router-timeout: 2"]).overrides?.fields.timeout == .seconds(2))
    }

    @Test("where bodies have no overrides, whose clients always name a model, the header's models count")
    func modelHeader() throws {
        let body = Array(#"{"model":"body","messages":[],"contents":[]}"#.utf8), headers = try headerFields(["x-router-model: a, header"])
        for table in [RequestOutline.FieldTable.anthropic, .ollama] {
            #expect(try RequestOutline(body.span.bytes, table, fields: headers).models == ["a", "header"])
            #expect(try RequestOutline(body.span.bytes, table, fields: headerFields(["x-router-type: fast"])).models == ["body"])
        }
        let path = RequestOutline.Path(model: "path", isStream: false)
        #expect(try RequestOutline(body.span.bytes, .gemini, path: path, fields: headers).models == ["a", "header"])
        #expect(try RequestOutline(body.span.bytes, .gemini, path: path).models == ["path"])
    }

    @Test("a header that the body overrides is still checked")
    func overriddenHeader() throws {
        #expect(try chatError(#"{"timeout_secs":3}"#, ["x-router-timeout: soon"]).param == "x-router-timeout")
    }

    @Test("a supports_ field that is false takes back what the header or the key asks for")
    func waived() throws {
        var defaults = RoutingOverrides()
        defaults.supports = [.image, .audio, .tools]
        let request = try readChat(
            #"{"supports_image":false,"supports_file":true}"#,
            ["x-router-supports-image: true", "x-router-supports-audio: false", "x-router-supports-file: false"],
            defaults: defaults)
        #expect(request.overrides?.fields.supports == [.file, .tools])
    }

    @Test("a fallback's provider needs its model, from the same source")
    func fallbackProvider() throws {
        #expect(try chatError(#"{"fallback_provider":"p"}"#).param == "fallback_provider")
        #expect(try chatError(#"{"fallback_provider":"p","fallback_model":null}"#).param == "fallback_provider")
        #expect(try chatError("{}", ["x-router-fallback-provider: p"]).param == "x-router-fallback-provider")
        #expect(try chatError(#"{"fallback_provider":"p"}"#, ["x-router-fallback-model: m"]).param == "fallback_provider")
        #expect(try chatError(#"{"fallback_model":"m"}"#, ["x-router-fallback-provider: p"]).param == "x-router-fallback-provider")
    }

    @Test("a fallback in the body replaces the header's as a whole, and the header's replaces the key's")
    func fallbackPairs() throws {
        var defaults = RoutingOverrides()
        defaults.fallbackProvider = "dp"
        defaults.fallbackModel = "dm"
        let headers = ["x-router-fallback-provider: hp", "x-router-fallback-model: hm"]
        let body = try readChat(#"{"fallback_model":"bm"}"#, headers, defaults: defaults).overrides?.fields
        #expect(body?.fallbackProvider == nil && body?.fallbackModel == "bm")
        let header = try readChat("{}", headers, defaults: defaults).overrides?.fields
        #expect(header?.fallbackProvider == "hp" && header?.fallbackModel == "hm")
        let key = try readChat("{}", defaults: defaults).overrides?.fields
        #expect(key?.fallbackProvider == "dp" && key?.fallbackModel == "dm")
    }

    @Test(
        "a header that is given twice is refused",
        arguments: [
            (["x-router-tags: a", "X-Router-Tags: b"], "x-router-tags"),
            (["x-router-timeout: 1", "x-router-timeout-secs: 1"], "x-router-timeout-secs"),
            (["x-router-model: a", "x-router-model: a"], "x-router-model"),
        ])
    func twice(lines: [String], param: String) throws {
        let error = try chatError("{}", lines)
        #expect(error.status == 400 && error.code == "duplicate_field" && error.param == param)
    }

    @Test(
        "a header that looks like a known one is refused with the name of that one",
        arguments: [
            ("x-router-tag", "x-router-tags"), ("x-router-time-out", "x-router-timeout"),
            ("x-router-min_context_size", "x-router-min-context-size"),
            ("x-router-supports-json", "x-router-supports-"), ("x-router-max-price", "x-router-max-"),
            ("x-router-metadata-off", "x-router-metadata"),
            ("x-router-fallback", "x-router-fallback-"), ("x-router-stream-timeouts-secs", nil), ("X-Router-Modle", "x-router-model"),
        ])
    func misspelt(name: String, near: String?) throws {
        guard let near else {
            #expect(throws: Never.self) { try readChat("{}", ["\(name): 1"]) }
            return
        }
        let error = try chatError("{}", ["\(name): 1"])
        #expect(error.status == 400 && error.param == name.lowercased())
        #expect(error.message.contains("did you mean '\(near)"), "\(error.message)")
    }

    @Test(
        "an unrelated header with the prefix is ignored",
        arguments: ["x-router-token", "x-router-id", "x-router-request-id", "x-router", "x-routers-tags", "x-router-"])
    func foreign(name: String) throws {
        #expect(try readChat("{}", ["\(name): 1"]).overrides == nil)
    }
}
