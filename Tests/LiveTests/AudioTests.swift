import Glibc
import TestSupport
import Testing

/// Uploads of recordings, and audio as a response.
@Suite struct AudioTests {
    /// The body of a form with a recording of `size` bytes, and with `model` behind it.
    private static func form(_ model: String, size: Int, fields: [(String, String)] = []) -> [UInt8] {
        func part(_ name: String, _ more: String = "") -> String {
            "--b0\r\nContent-Disposition: form-data; name=\"\(name)\"\(more)\r\n\r\n"
        }
        var body = Array(part("file", "; filename=\"a.wav\"").utf8)
        body += [UInt8](repeating: 0x5A, count: size)
        for (name, value) in [("model", model)] + fields { body += Array("\r\n\(part(name))\(value)".utf8) }
        return body + Array("\r\n--b0--\r\n".utf8)
    }

    private static func send(
        _ body: [UInt8], to router: RouterProcess, path: String = "transcriptions", fields: [String] = []
    ) throws -> RawClient {
        let client = try router.client()
        let head = ["POST /v1/audio/\(path) HTTP/1.1", "Host: a", "Content-Type: multipart/form-data; boundary=b0"]
        client.send((head + ["Content-Length: \(body.count)"] + fields).joined(separator: "\r\n") + "\r\n\r\n")
        client.send(body, within: .seconds(60))
        return client
    }

    private static func transcribe(
        _ body: [UInt8], at router: RouterProcess, path: String = "transcriptions", fields: [String] = []
    ) throws -> Response {
        try send(body, to: router, path: path, fields: fields).readResponse(within: .seconds(60))
    }

    private static func policy(_ upstreams: KeyValuePairs<String, ScriptedUpstream>, server: String = "") -> PolicyText {
        var policy = PolicyText(upstreams, server: server)
        policy.moreModels = upstreams.map {
            "  audio-\($0.key): { provider: p-\($0.key), upstream: up-\($0.key), serves: [transcription, translation, speech] }"
        }
        policy.routes = ["  chain: { try: [\(upstreams.map { "audio-\($0.key)" }.joined(separator: ", "))] }"]
        return policy
    }

    private static let transcript = #"{"text":"Hello","usage":{"type":"duration","seconds":9}}"#

    @Test func `a recording whose length the provider doesn't say has no known cost where minutes have a price`() throws {
        let upstream = try ScriptedUpstream { exchange in
            let isKnown = String(decoding: exchange.body, as: UTF8.self).contains("known")
            try exchange.respond(200, isKnown ? Self.transcript : #"{"text":"Hello"}"#)
        }
        var policy = PolicyText(["a": upstream])
        policy.moreModels = ["  m: { provider: p-a, serves: [transcription], price: { per_minute: 0.06 } }"]
        let router = try RouterProcess(policy)
        let known = try Self.transcribe(Self.form("m", size: 9, fields: [("prompt", "known")]), at: router)
        #expect(abs((known.json?["_router"]?["cost_usd"]?.double ?? 0) - 0.009) < 1e-9, "\(known.text)")
        let unknown = try Self.transcribe(Self.form("m", size: 9), at: router)
        #expect(unknown.status == 200 && unknown.json?["_router"] != nil && unknown.json?["_router"]?["cost_usd"] == nil, "\(unknown.text)")
        #expect(try router.get("/metrics").text.contains("llm_router_unpriced_requests_total{provider=\"p-a\",model=\"m\"} 1"))
    }

    @Test func `a large upload costs little memory, and is sent again to the next model`() throws {
        let failing = try ScriptedUpstream(ScriptedUpstream.failing(500))
        let good = try ScriptedUpstream { try $0.respond(200, Self.transcript) }
        let router = try RouterProcess(Self.policy(["a": failing, "b": good]))
        _ = try Self.transcribe(Self.form("chain", size: 2 << 20), at: router)
        let size = scaled(48, soak: 200) << 20, before = router.figures.rss
        let body = Self.form("chain", size: size), peak = Watched(0), isOver = Watched(false)
        Threads.start {
            while !isOver.read({ $0 }) { peak.update { $0 = max($0, router.figures.rss) } }
        }
        let response = try Self.transcribe(body, at: router)
        isOver.update { $0 = true }
        #expect(response.status == 200 && response.json?["text"]?.string == "Hello")
        #expect(response.json?["_router"]?["model_name"]?.string == "audio-b" && response.json?["_router"]?["attempts"]?.int == 2)
        #expect(peak.read { $0 } - before < 8 * 1024)
        for (upstream, name) in [(failing, "a"), (good, "b")] {
            let sent = try upstream.waitForRequest(1)
            #expect(sent.body.count == body.count + "up-\(name)".utf8.count - "chain".utf8.count)
            let end = Array("\r\n\r\nup-\(name)\r\n--b0--\r\n".utf8)
            #expect(sent.body.starts(with: body.prefix(size)) && sent.body.suffix(end.count) == end[...])
            #expect(sent.head["content-type"] == "multipart/form-data; boundary=b0" && sent.head.target == "/v1/audio/transcriptions")
        }
        try eventually("no upload is kept") { try router.metric("llm_router_spooled_bytes") == 0 }
        #expect(try router.metric("llm_router_audio_seconds_total", "audio-b") == 18)
        let record = try router.waitForRecords(2, endpoint: "transcriptions")[1]
        #expect(record["bytes_in"]?.int == body.count && record["audio_seconds"]?.double == 9)
    }

    @Test(arguments: ["text/plain; charset=utf-8", "text/vtt", "application/x-subrip"])
    func `a transcript in another form than JSON passes through with its content type`(type: String) throws {
        let text = " [Music]\n"
        let upstream = try ScriptedUpstream { try $0.respond(200, text, type: type) }
        let router = try RouterProcess(Self.policy(["a": upstream]))
        for path in ["transcriptions", "translations"] {
            let response = try Self.transcribe(Self.form("audio-a", size: 100), at: router, path: path)
            #expect(response.status == 200 && response.text == text && response.head["content-type"] == type)
            #expect(response.head["x-router-model"] == "audio-a")
        }
    }

    @Test func `the events of a transcription are passed on, and one that breaks ends with an error event`() throws {
        let delta = #"{"type":"transcript.text.delta","delta":"Hel"}"#, done = #"{"type":"transcript.text.done","text":"Hel"}"#
        let upstream = try ScriptedUpstream { exchange in
            try exchange.startStream()
            try exchange.event(delta)
            if exchange.number > 0 { return exchange.close() }
            try exchange.event(done)
            try exchange.finishChunks()
        }
        let router = try RouterProcess(Self.policy(["a": upstream]))
        let body = Self.form("audio-a", size: 100, fields: [("stream", "true")])
        let whole = try Self.transcribe(body, at: router)
        #expect(whole.text == "data: \(delta)\n\ndata: \(done)\n\n" && whole.head["content-type"]?.hasPrefix("text/event-stream") == true)
        let broken = try Self.transcribe(body, at: router)
        #expect(broken.text.hasPrefix("data: \(delta)\n\ndata: {\"error\":{") && broken.text.contains("upstream_truncated"))
    }

    @Test func `speech falls back before its first byte, and is cut off after it`() throws {
        let failing = try ScriptedUpstream(ScriptedUpstream.failing(503))
        let speaking = try ScriptedUpstream { exchange in
            try exchange.send("HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nTransfer-Encoding: chunked\r\n\r\n")
            try exchange.chunk("{ID3")
            if exchange.number > 0 { return exchange.close() }
            try exchange.chunk("end")
            try exchange.finishChunks()
        }
        let router = try RouterProcess(Self.policy(["a": failing, "b": speaking]))
        let request = RouterProcess.request("POST", "/v1/audio/speech", body: #"{"model":"chain","input":"Hello","voice":"alloy"}"#)
        let client = try router.client()
        client.send(request)
        let response = try client.readResponse()
        #expect(response.status == 200 && response.text == "{ID3end" && response.head["content-type"] == "audio/mpeg")
        #expect(response.head["x-router-model"] == "audio-b" && response.head["x-router-attempts"] == "2")
        let cut = try router.client()
        cut.send(request)
        #expect(String(decoding: try cut.readToClose(), as: UTF8.self).hasSuffix("4\r\n{ID3\r\n"), "no last chunk")
        let record = try router.waitForRecords(2, endpoint: "speech")[1]
        #expect(record["error"]?.string == "upstream_truncated")
    }

    @Test func `an upload that is no form, too large, or for which there is no room is refused`() throws {
        let upstream = try ScriptedUpstream { try $0.respond(200, Self.transcript) }
        let router = try RouterProcess(Self.policy(["a": upstream], server: "max_upload: 3MiB, max_spooled: 2MiB, body_total: 1s"))
        let bad = try Self.transcribe(Array("--b0\r\nx\r\n\r\n--b0--".utf8), at: router)
        #expect(bad.status == 400 && bad.errorCode == "invalid_form" && bad.text.contains("no header field"))
        #expect(try Self.transcribe(Self.form("audio-a", size: 4 << 20), at: router).status == 413)
        let full = try Self.transcribe(Self.form("audio-a", size: 2 << 20), at: router)
        #expect(full.status == 503 && full.errorCode == "spool_full" && full.head["retry-after"] == "1")
        #expect(upstream.requests.isEmpty)
        #expect(try Self.transcribe(Self.form("audio-a", size: 1 << 20), at: router).status == 200)
    }

    @Test func `a folder for uploads that can't be used is reported at the start and by a reload`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.silent)
        let refused = try RouterProcess(launching: Array(Self.policy(["a": upstream], server: "spool: /nowhere").text.utf8))
        #expect(try refused.process.waitForExit(within: .seconds(20)) == .code(78))
        try refused.process.waitForOutputEnd()
        let reason = "can't keep uploads in '/nowhere': no such file or directory"
        #expect(refused.standardError.contains(reason))
        let router = try RouterProcess(Self.policy(["a": upstream]))
        try router.reloadRefused(Self.policy(["a": upstream], server: "spool: /nowhere").text)
        try router.waitForLog(reason)
    }

    @Test func `a recording is in no folder while it is kept, and gone after a kill`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.silent)
        let folder = try TemporaryFolder()
        let router = try RouterProcess(Self.policy(["a": upstream], server: "spool: \(folder.path)"))
        let client = try Self.send(Self.form("audio-a", size: 4 << 20), to: router)
        try upstream.waitForRequest()
        #expect(try router.metric("llm_router_spooled_bytes") > Double(4 << 20) && entries(folder.path).isEmpty)
        router.process.kill()
        #expect(entries(folder.path).isEmpty)
        client.close()
    }
}
