import TestSupport
import Testing

/// Upstreams that respond in another form than they were asked for, label it wrongly, or compress it.
@Suite struct UpstreamFormsTests {
    private static let whole =
        #"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}]}"#
    private static let first =
        #"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"hel"},"finish_reason":null}]}"#
    private static let second =
        #"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}]}"#
    private static let events = "data: \(first)\n\ndata: \(second)\n\ndata: [DONE]\n\n"

    private static func sending(_ body: [UInt8], fields: [String]) -> ScriptedUpstream.Script {
        { exchange in
            let head = ["HTTP/1.1 200 OK", "Content-Length: \(body.count)"] + fields
            try exchange.send(Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body)
        }
    }

    private static let forms: [(name: String, body: String)] = [
        ("events", events), ("an object", whole), ("lines", first + "\n" + second + "\n"), ("an array of chunks", "[\(first),\n\(second)]"),
        ("an array of one response", "[\(whole)]"), ("events after a byte order mark and blank lines", "\u{FEFF}\r\n\n" + events),
        ("an event with a complete response", "data: \(whole)\n\ndata: [DONE]\n\n"),
    ]

    @Test(arguments: forms.indices, ["text/event-stream", "application/json", "text/plain", "text/html", "application/x-ndjson"])
    func `the body's first bytes decide, whatever its content type says and whatever was asked for`(form: Int, contentType: String) throws {
        // An object of one line is a line as well.
        let upstream = try ScriptedUpstream(Self.sending(Array(Self.forms[form].body.utf8), fields: ["Content-Type: \(contentType)"]))
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let response = try router.chat("a")
        #expect(response.content == "hello" && response.json?["object"]?.string == "chat.completion", "\(Self.forms[form].name)")
        let stream = try router.stream("a")
        #expect(stream.content == "hello" && stream.isDone && stream.errors.isEmpty, "\(Self.forms[form].name)")
    }

    @Test func `a folded response keeps its usage and its record, and a broken or empty stream is a failure`() throws {
        let usage = OpenAIReplies.usageChunk()
        let upstream = try ScriptedUpstream { exchange in
            try exchange.startStream()
            if exchange.prompt != "empty" { try exchange.event(Self.first) }
            if exchange.prompt == "break" { return exchange.close() }
            if exchange.prompt == "whole" {
                try exchange.event(Self.second)
                try exchange.event(usage)
            }
            try exchange.event(OpenAIReplies.doneEvent)
            try exchange.finishChunks()
        }
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let response = try router.chat("a", "whole")
        #expect(response.json?["usage"]?["total_tokens"]?.int == 8)
        #expect(response.json?["_router"]?["usage_source"]?.string == "reported")
        for prompt in ["break", "empty"] { #expect(try router.chat("a", prompt).status == 502, "\(prompt)") }
    }

    @Test(arguments: [#"{"message":""}"#, #"{"code":0,"message":""}"#, "[null]", "true"])
    func `an empty error beside content doesn't reach the client, whose SDK would take it for one`(error: String) throws {
        let member = #","error":\#(error)}"#
        let bodies = [
            "data: \(Self.first.dropLast() + member)\n\ndata: \(Self.second.dropLast() + member)\n\ndata: [DONE]\n\n",
            String(Self.whole.dropLast() + member), "data: \(Self.whole.dropLast() + member)\n\ndata: [DONE]\n\n",
        ]
        for body in bodies {
            let upstream = try ScriptedUpstream(Self.sending(Array(body.utf8), fields: ["Content-Type: text/event-stream"]))
            let router = try RouterProcess(PolicyText(["a": upstream]))
            let response = try router.chat("a")
            #expect(response.content == "hello" && response.json?["error"] == nil)
            let stream = try router.stream("a")
            #expect(stream.content == "hello" && stream.isDone && stream.errors.isEmpty)
        }
    }

    private static let gzipWhole = bytes(
        "1f8b0800000000000203158d410e42210c44ef326b6274cb558c3108556a80fefc766142b8bb65d54ce74dde04174464"
            + "04c8eb4bd976a8c92e59fad1c8588657f9a464e4e02da04ba1e654dfff2a9c4911ef133c0afd10af4e906afa10e2c429"
            + "cd2f922aaba5617b23c3686c4fa5d6042be0cd83b53e5da2ae8b509303ebb1fea5879a109d000000")
    private static let gzipEvents = bytes(
        "1f8b0800000000000203bd8e310ec2300c45f79c02798e2a5833c30a07a82a1412a30452bb6a5c09a9eadd7126189819"
            + "6d3fffffa217ef762be4080e0258e0db0383b42179e9028f5341c94c5d480b3d1508337a41c50f16468e58941ddb3e71"
            + "0e58c1f59a46115fe0f616f42e1edc0a331754d2d79aab7892f6c12448ad2b69ca66e19e29d774d582ca048e9652b661"
            + "3326fe4bf26354f8871054e109be94fae3e57c1a8c7903cc7879ae46010000")
    private static let deflateEvents = bytes(
        "bd8e310ec2300c45f79c02798e2a5833c30a07a82a1412a30452bb6a5c09a9eadd71261898196d3fffffa217ef762be4"
            + "080e0258e0db0383b42179e9028f5341c94c5d480b3d1508337a41c50f16468e58941ddb3e710e58c1f59a46115fe0f6"
            + "16f42e1edc0a331754d2d79aab7892f6c12448ad2b69ca66e19e29d774d582ca048e9652b6613326fe4bf26354f88710"
            + "54e109be94fae3e57c1a8c7903")
    private static let zlibEvents = bytes(
        "78dabd8e310ec2300c45f79c02798e2a5833c30a07a82a1412a30452bb6a5c09a9eadd71261898196d3fffffa217ef76"
            + "2be4080e0258e0db0383b42179e9028f5341c94c5d480b3d1508337a41c50f16468e58941ddb3e710e58c1f59a46115f"
            + "e0f616f42e1edc0a331754d2d79aab7892f6c12448ad2b69ca66e19e29d774d582ca048e9652b6613326fe4bf26354f8"
            + "871054e109be94fae3e57c1a8c790367d36ab6")
    private static let gzipError = bytes(
        "1f8b08000000000002033dca510a80201005c0ab2cefbb137819117d58d0baa0068278f788a2f99e09d66a156e42d95a"
            + "c884838671e8a512ad748e2e274beebb704432316143b4f4c42ff837f83fac75036554523658000000")

    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex)
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0..<$0 + 2]), radix: 16) }
    }

    @Test func `a compressed body that nobody asked for is decoded`() throws {
        let bodies: [(body: [UInt8], coding: String)] = [
            (Self.gzipWhole, "Content-Encoding: gzip"), (Self.gzipEvents, "Content-Encoding: x-gzip"),
            (Self.gzipEvents, "X-Nothing: said"), (Self.deflateEvents, "Content-Encoding: deflate"),
            (Self.zlibEvents, "Content-Encoding: deflate"), (Array(Self.events.utf8), "Content-Encoding: gzip"),
            (Array(Self.whole.utf8), "Content-Encoding: deflate"),
        ]
        for (body, coding) in bodies {
            let upstream = try ScriptedUpstream(Self.sending(body, fields: [coding, "Content-Type: text/event-stream"]))
            let router = try RouterProcess(PolicyText(["a": upstream]))
            #expect(try router.chat("a").content == "hello", "\(coding)")
            #expect(try router.stream("a").content == "hello", "\(coding)")
        }
    }

    @Test func `a compressed error is read, and a damaged, cut-off or unknown coding is a failure that says so`() throws {
        let upstream = try ScriptedUpstream { exchange in
            func send(_ status: Int, _ body: [UInt8], _ coding: String) throws {
                let head = "HTTP/1.1 \(status) X\r\nContent-Encoding: \(coding)\r\nContent-Length: \(body.count)\r\n\r\n"
                try exchange.send(Array(head.utf8) + body)
            }
            switch exchange.prompt {
            case "error": try send(400, Self.gzipError, "gzip")
            case "damaged": try send(200, Self.gzipWhole.prefix(10) + [0xFF, 0xFF, 0xFF, 0xFF], "gzip")
            case "cut off": try send(200, Array(Self.gzipWhole.dropLast(20)), "gzip")
            default: try send(200, [0x8B, 0x01, 0x80], "br")
            }
        }
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let refusal = try router.chat("a", "error")
        #expect(refusal.status == 400 && refusal.errorCode == "context_length_exceeded")
        for (prompt, words) in [("damaged", "damaged"), ("cut off", "in the middle"), ("brotli", "'br'")] {
            let response = try router.chat("a", prompt)
            #expect(response.status == 502)
            #expect(
                response.json?["error"]?["message"]?.string?.contains(words) == true,
                "\(prompt): \(response.json?["error"]?["message"]?.string ?? "")")
        }
    }

    @Test func `a provider that refuses 'stream_options' is asked again without it, at once, and later requests never have it`() throws {
        let upstream = try ScriptedUpstream { exchange in
            guard exchange.json?["stream_options"] == nil else {
                return try exchange.respond(
                    422, #"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#)
            }
            try ScriptedUpstream.echoing(exchange)
        }
        let router = try RouterProcess(PolicyText(["a": upstream], defaults: "max_attempts: 1, breaker: { failures: 1 }"))
        let first = try router.stream("a", "one")
        #expect(first.content == "one" && first.isDone)
        let record = try #require(first.metadata)
        #expect(record["attempts"]?.int == 1)
        #expect(record["errors"]?[0]?["status"]?.int == 422)
        #expect(record["errors"]?[0]?["repaired"]?.string == "without 'stream_options'")
        for _ in 0..<6 { #expect(try router.stream("a", "more").metadata?["errors"] == nil) }
        #expect(upstream.requests.count == 2 + 6)
        try router.waitForLog("from now on they are sent without 'stream_options'")
        let metrics = String(decoding: try router.get("/metrics").body, as: UTF8.self)
        #expect(metrics.contains(#"llm_router_repaired_requests_total{provider="p-a",model="a"} 1"#))
    }

    @Test(arguments: ["application/json", "text/event-stream"])
    func `a refusal of 'stream_options' inside a 200 is repaired too, whatever came before it`(type: String) throws {
        let refusal = #"{"error":{"message":"Unknown parameter: 'stream_options'"}}"#
        let upstream = try ScriptedUpstream { exchange in
            guard exchange.json?["stream_options"] != nil else { return try ScriptedUpstream.echoing(exchange) }
            let events = "data: \(OpenAIReplies.roleChunk)\n\ndata: \(refusal)\n\n"
            try exchange.respond(200, type == "application/json" ? refusal : events, type: type)
        }
        let router = try RouterProcess(PolicyText(["a": upstream], defaults: "max_attempts: 1, breaker: { failures: 1 }"))
        let first = try router.stream("a", "one")
        #expect(first.content == "one" && first.isDone && first.errors.isEmpty)
        #expect(first.chunks.count(where: { $0["choices"]?[0]?["delta"]?["role"] != nil }) == 1)
        #expect(first.metadata?["attempts"]?.int == 1)
        #expect(first.metadata?["errors"]?[0]?["repaired"]?.string == "without 'stream_options'")
        #expect(try router.stream("a", "more").metadata?["errors"] == nil)
        #expect(upstream.requests.count == 3)
    }

    @Test func `a refusal that the repair doesn't cure, or of a client's own 'stream_options', is the client's`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.failing(400, "Unrecognized request argument: stream_options"))
        let router = try RouterProcess(PolicyText(["a": upstream]))
        #expect(try router.stream("a").status == 400)
        #expect(upstream.requests.count == 2)
        #expect(try router.stream("a", extra: #""stream_options":{"include_usage":true}"#).status == 400)
        #expect(upstream.requests.count == 3)
        #expect(try router.stream("a").status == 400)
        #expect(upstream.requests.count == 5)
    }
}
