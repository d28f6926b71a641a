import TestSupport
import Testing

/// What holds for every face, whatever the provider's format is. The upstream speaks OpenAI's, which is translated for
/// all faces but OpenAI's own.
@Suite("every face passes the conformance suite")
struct FaceConformanceTests {
    private typealias Question = FaceUnderTest.Question

    /// A router whose models `a` and `b` are at the upstreams, with the route `r` that goes on from `a` to `b`.
    private struct Setup {
        let router: RouterProcess
        let first: ScriptedUpstream
        let upstream: ScriptedUpstream
        let face: FaceUnderTest

        init(
            _ face: FaceUnderTest, server: String = "", keys: [String] = [],
            first: @escaping ScriptedUpstream.Script = { try $0.respond(503, OpenAIReplies.error("busy")) },
            _ script: @escaping ScriptedUpstream.Script
        ) throws {
            self.face = face
            upstream = try ScriptedUpstream(script)
            self.first = try ScriptedUpstream(first)
            router = try RouterProcess(
                PolicyText(["a": self.first, "b": upstream], server: server, routes: ["  r: { try: a, fallback: [b] }"], keys: keys).with {
                    $0.moreModels = ["  seeing: { provider: p-b, upstream: up-seeing, supports: [image, tools] }"]
                })
        }

        func ask(_ question: Question, fields: [String] = []) throws -> Response {
            let body = face.body(question), fault = FaceFault.current
            var response = try router.call(
                "POST", face.path(question), body: fault?.request(body) ?? body, fields: face.fields + (fault?.fields(fields) ?? fields))
            if let fault { response.body = Array(fault.response(response.text, face).utf8) }
            return response
        }

        /// The response to a question, read as a client does.
        func read(_ question: Question) throws -> FaceUnderTest.Reading {
            let response = try ask(question)
            #expect(response.status == 200, "\(response.text)")
            let type = response.head["content-type"] ?? ""
            guard question.isStream else {
                #expect(type == "application/json")
                return face.read([try #require(response.json)])
            }
            #expect(type.hasPrefix(face.streamType))
            #expect(face.isComplete(response.text), "\(response.text)")
            return face.read(face.frames(response.text))
        }
    }

    private static let ways = [false, true]

    @Test(arguments: FaceUnderTest.all, ways)
    func `a text arrives whole, with its finish, its usage and the call record`(face: FaceUnderTest, isStream: Bool) throws {
        let setup = try Setup(face) { try ScriptedUpstream.responding("Привет ", "🚀 \"you\"\n")($0) }
        let reading = try setup.read(Question(isStream: isStream))
        #expect(reading.text == "Привет 🚀 \"you\"\n")
        #expect(reading.finish == face.finishes.stop)
        #expect(reading.input == 3 && reading.output == 5)
        let response = try setup.ask(Question(model: "r", isStream: isStream), fields: ["x-request-id: mine"])
        #expect(response.head["x-router-provider"] == "p-b" && response.head["x-router-model"] == "b")
        #expect(response.head["x-router-attempts"] == "2" && response.head["x-router-fallback"] == "true")
        #expect(response.head["x-request-id"] == "mine")
    }

    @Test(arguments: FaceUnderTest.all.filter { $0.name != FaceUnderTest.openAI.name }, ways)
    func `a translated response has an estimate of the usage that the upstream doesn't report`(face: FaceUnderTest, isStream: Bool) throws {
        let text = "one two three four five six"
        let setup = try Setup(face) { exchange in
            if exchange.wantsStream {
                try exchange.stream([text], usage: nil)
            } else {
                try exchange.respond(200, OpenAIReplies.buffered(text, usage: nil))
            }
        }
        let reading = try setup.read(Question(isStream: isStream))
        #expect((reading.input ?? 0) > 0 && (reading.output ?? 0) > 0)
    }

    @Test(arguments: FaceUnderTest.all, ways)
    func `parallel tool calls arrive whole and in their order`(face: FaceUnderTest, isStream: Bool) throws {
        let calls = [#"{"a":[1,2]}"#, "{}"]
        let setup = try Setup(face) { exchange in
            if exchange.wantsStream {
                try exchange.startStream()
                for (index, arguments) in calls.enumerated() {
                    let start = #""index":\#(index),"id":"call_\#(index)","type":"function""#
                    try exchange.event(OpenAIReplies.chunk(#"{"tool_calls":[{\#(start),"function":{"name":"add","arguments":""}}]}"#))
                    for part in [arguments.prefix(1), arguments.dropFirst()] {
                        try exchange.event(
                            OpenAIReplies.chunk(
                                #"{"tool_calls":[{"index":\#(index),"function":{"arguments":\#(JSON.quote(String(part)))}}]}"#))
                    }
                }
                try exchange.event(OpenAIReplies.chunk("{}", finish: "tool_calls"))
                try exchange.event(OpenAIReplies.doneEvent)
                return try exchange.finishChunks()
            }
            let list = calls.enumerated().map {
                #"{"id":"call_\#($0)","type":"function","function":{"name":"add","arguments":\#(JSON.quote($1))}}"#
            }.joined(separator: ",")
            let text = OpenAIReplies.buffered("").replacing(#""content":"""#, with: #""content":null,"tool_calls":[\#(list)]"#)
            try exchange.respond(200, text.replacing(#""finish_reason":"stop""#, with: #""finish_reason":"tool_calls""#))
        }
        let reading = try setup.read(Question(isStream: isStream, hasTool: true))
        #expect(reading.tools.map(\.name) == ["add", "add"])
        #expect(reading.tools.map(\.arguments) == calls.map { JSON($0) })
        #expect(reading.finish == face.finishes.tool)
        let sent = JSON(try setup.upstream.waitForRequest(0).body)
        #expect(sent?["tools"]?[0]?["function"]?["name"]?.string == "add")
        #expect(sent?["tools"]?[0]?["function"]?["parameters"] == JSON(FaceUnderTest.schema))
    }

    @Test(arguments: FaceUnderTest.all, ways)
    func `reasoning arrives apart from the text`(face: FaceUnderTest, isStream: Bool) throws {
        let setup = try Setup(face) { exchange in
            guard exchange.wantsStream else {
                return try exchange.respond(
                    200, OpenAIReplies.buffered("Four.").replacing(#""content""#, with: #""reasoning_content":"2 and 2","content""#))
            }
            try exchange.startStream()
            try exchange.event(OpenAIReplies.chunk(#"{"reasoning_content":"2 and"}"#))
            try exchange.event(OpenAIReplies.chunk(#"{"reasoning_content":" 2"}"#))
            for event in [OpenAIReplies.contentChunk("Four."), OpenAIReplies.finishChunk, OpenAIReplies.doneEvent] {
                try exchange.event(event)
            }
            try exchange.finishChunks()
        }
        let reading = try setup.read(Question(isStream: isStream))
        #expect(reading.reasoning == "2 and 2" && reading.text == "Four.")
    }

    @Test(arguments: FaceUnderTest.all, ways)
    func `the end at a limit and the end by a filter are told apart`(face: FaceUnderTest, isStream: Bool) throws {
        for (reason, expected) in [("length", face.finishes.length), ("content_filter", face.finishes.filter)] {
            let setup = try Setup(face) { exchange in
                guard exchange.wantsStream else {
                    let text = OpenAIReplies.buffered("Once")
                    return try exchange.respond(200, text.replacing(#""finish_reason":"stop""#, with: #""finish_reason":"\#(reason)""#))
                }
                try exchange.startStream()
                let events = [OpenAIReplies.contentChunk("Once"), OpenAIReplies.chunk("{}", finish: reason), OpenAIReplies.doneEvent]
                for event in events { try exchange.event(event) }
                try exchange.finishChunks()
            }
            let reading = try setup.read(Question(isStream: isStream, maxTokens: 7))
            #expect(reading.text == "Once" && reading.finish == expected)
            let sent = JSON(try setup.upstream.waitForRequest(0).body)
            #expect((sent?["max_tokens"] ?? sent?["max_completion_tokens"])?.int == 7)
        }
    }

    @Test(arguments: FaceUnderTest.all)
    func `a picture reaches a model that can see, and never another`(face: FaceUnderTest) throws {
        let setup = try Setup(face, ScriptedUpstream.responding("a pixel"))
        #expect(try setup.read(Question(model: "auto", hasImage: true)).text == "a pixel")
        let sent = JSON(try setup.upstream.waitForRequest(0).body)
        #expect(sent?["model"]?.string == "up-seeing")
        let parts = sent?["messages"]?.array?.last?["content"]?.array ?? []
        #expect(parts.contains { $0["image_url"]?["url"]?.string == "data:image/png;base64,\(FaceUnderTest.pixel)" })
    }

    @Test(arguments: FaceUnderTest.all, ways)
    func `an error before the first content has the face's form and its true status`(face: FaceUnderTest, isStream: Bool) throws {
        let setup = try Setup(
            face, keys: ["  k: { secret: sk-key-0123456789abcdef, models: [b, r] }"],
            { try $0.respond(400, OpenAIReplies.error("'temperature' is wrong", type: "invalid_request_error")) })
        let key = face.credential("sk-key-0123456789abcdef")
        func error(_ question: Question, _ fields: [String]) throws -> (status: Int, message: String?) {
            let response = try setup.ask(question, fields: fields)
            #expect(response.head["content-type"] == "application/json")
            return (response.status, response.json.flatMap(face.errorMessage))
        }
        let refused = try error(Question(isStream: isStream), [key])
        #expect(refused.status == 400 && refused.message?.contains("'temperature' is wrong") == true)
        let unknown = try error(Question(model: "nothing", isStream: isStream), [key])
        #expect(unknown.status == 404 && unknown.message?.contains("nothing") == true)
        let stranger = try error(Question(isStream: isStream), [])
        #expect(stranger.status == 401 && stranger.message?.isEmpty == false)
        let wrong = try setup.router.call("POST", face.path(Question(isStream: isStream)), body: "{\"x\":", fields: face.fields + [key])
        #expect(wrong.status == 400 && wrong.json.flatMap(face.errorMessage)?.contains("line 1") == true, "\(wrong.text)")
    }

    @Test(arguments: FaceUnderTest.all)
    func `a stream that breaks ends with the face's error, and doesn't look complete`(face: FaceUnderTest) throws {
        let setup = try Setup(face) { exchange in
            try exchange.startStream()
            try exchange.event(OpenAIReplies.contentChunk("Once"))
            exchange.reset()
        }
        let response = try setup.ask(Question(isStream: true))
        let frames = face.frames(response.text)
        #expect(face.read(frames).text == "Once")
        #expect(!face.isComplete(response.text), "\(response.text)")
        #expect(frames.last.flatMap(face.errorMessage)?.isEmpty == false, "\(response.text)")
    }

    @Test(arguments: FaceUnderTest.all)
    func `an event of up to 16 MiB arrives whole, and a larger one is an error`(face: FaceUnderTest) throws {
        let setup = try Setup(face) { exchange in
            let text = String(repeating: "x", count: Int(exchange.prompt) ?? 0)
            try ScriptedUpstream.responding("first", text, "last")(exchange)
        }
        for size in [(64 << 10) + 1, 1 << 20] {
            let reading = try setup.read(Question(text: "\(size)", isStream: true))
            #expect(reading.text.utf8.count == size + 9 && reading.finish == face.finishes.stop)
        }
        let response = try setup.ask(Question(text: "\((16 << 20) + 1)", isStream: true))
        let frames = face.frames(response.text)
        #expect(face.read(frames).text == "first" && !face.isComplete(response.text))
        #expect(frames.last.flatMap(face.errorMessage)?.isEmpty == false, "\(response.text.suffix(400))")
    }

    @Test(arguments: FaceUnderTest.all)
    func `silence is broken by signs of life, which clients read over`(face: FaceUnderTest) throws {
        let setup = try Setup(face, server: "keepalive: 100ms") { exchange in
            if exchange.prompt == "slow" { try exchange.pause(.milliseconds(350)) }
            try exchange.startStream()
            try exchange.event(OpenAIReplies.contentChunk("late"))
            if exchange.prompt == "slow" { try exchange.pause(.milliseconds(350)) }
            for event in [OpenAIReplies.finishChunk, OpenAIReplies.doneEvent] { try exchange.event(event) }
            try exchange.finishChunks()
        }
        let quick = try setup.ask(Question(text: "quick", isStream: true)), slow = try setup.ask(Question(text: "slow", isStream: true))
        for response in [quick, slow] {
            #expect(face.isComplete(response.text))
            #expect(face.read(face.frames(response.text)).text == "late")
        }
        let lines = { (response: Response) in response.body.count { $0 == UInt8(ascii: "\n") } }
        #expect(lines(slow) > lines(quick), "there is no sign of life in \(slow.text)")
    }

    @Test(arguments: FaceUnderTest.all, ways)
    func `a client that leaves takes the upstream's request with it`(face: FaceUnderTest, isStream: Bool) throws {
        let setup = try Setup(face) { exchange in
            if exchange.wantsStream {
                try exchange.startStream()
                try exchange.event(OpenAIReplies.contentChunk("Once"))
            }
            exchange.hold()
        }
        let client = try setup.router.client(), question = Question(isStream: isStream)
        client.send(RouterProcess.request("POST", face.path(question), body: face.body(question), fields: face.fields))
        _ = try setup.upstream.waitForRequest(0)
        if isStream { _ = try client.readHead() }
        let isHeld = FaceFault.current?.holdsConnections == true
        if !isHeld { client.close() }
        _ = try setup.upstream.waitForPeerClose(0, within: isHeld ? .milliseconds(100) : .seconds(10))
    }

    @Test(arguments: FaceUnderTest.all)
    func `routing overrides come in headers`(face: FaceUnderTest) throws {
        let setup = try Setup(face, first: ScriptedUpstream.responding("from a"), ScriptedUpstream.responding("from b"))
        let response = try setup.ask(Question(model: "auto"), fields: ["x-router-model: a"])
        // A name in the body wins over one in a header, where the body has one.
        #expect(response.status == 200)
        let limited = try setup.ask(Question(model: "r"), fields: ["x-router-max-model-switches: 77"])
        #expect(limited.status == 400 && limited.json.flatMap(face.errorMessage)?.contains("x-router-max-model-switches") == true)
    }
}
