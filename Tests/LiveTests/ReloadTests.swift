import TestSupport
import Testing

/// A reload under running traffic: no stream breaks, no response mixes two policies, and a bad file changes nothing.
@Suite(.serialized) struct ReloadTests {
    private static let tokens = 40

    private static let slow: ScriptedUpstream.Script = { exchange in
        guard exchange.wantsStream else { return try ScriptedUpstream.echoing(exchange) }
        try exchange.startStream()
        for index in 0..<tokens {
            try exchange.event(OpenAIReplies.contentChunk("\(index),"))
            try exchange.pause(.milliseconds(50))
        }
        try exchange.event(OpenAIReplies.finishChunk)
        try exchange.event(OpenAIReplies.doneEvent)
        try exchange.finishChunks()
    }

    @Test func `reloads under load break no stream and refuse no request`() throws {
        let upstream = try ScriptedUpstream(Self.slow)
        let base = PolicyText(["a": upstream])
        let router = try RouterProcess(base)
        let (streams, reloads) = (scaled(50, soak: 500), scaled(20, soak: 200))
        let clients = try (0..<streams).map { _ in try router.openStream("a") }
        let expected = (0..<Self.tokens).map { "\($0)," }.joined()
        let isOver = Watched(false)
        let broken = Watched<[String]>([])
        let finishedThreads = Watched(0)
        for client in clients {
            Threads.start {
                let response = try? client.readStream(within: .seconds(120))
                if response?.content != expected || response?.isDone != true {
                    broken.update { $0.append(response.map { "\($0.status) \($0.content) \($0.errors)" } ?? "cut off") }
                }
                finishedThreads.update { $0 += 1 }
            }
        }
        for prober in 0..<2 {
            Threads.start {
                var count = 0
                while !isOver.read({ $0 }) {
                    count += 1
                    let response = Result { try router.chat("a", "probe \(prober) \(count)").content }
                    if (try? response.get()) != "probe \(prober) \(count)" { broken.update { $0.append("probe: \(response)") } }
                }
                finishedThreads.update { $0 += 1 }
            }
        }
        for index in 0..<reloads { try router.reload(base.with { $0.routes = ["  r\(index): { try: a }"] }.text) }
        isOver.update { $0 = true }
        #expect(finishedThreads.wait(until: Deadline(.seconds(120))) { $0 == streams + 2 ? true : nil } == true)
        #expect(broken.read { $0 } == [])
        #expect(try router.metric("llm_router_config_reloads_total") >= Double(reloads))
    }

    @Test func `after a burst of signals the newest file is in service`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let base = PolicyText(["a": upstream])
        let router = try RouterProcess(base)
        for index in 0...30 {
            try router.rewrite(base.with { $0.routes = ["  r\(index): { try: a }"] }.text)
            router.process.hangUp()
        }
        try eventually("the newest route responds") { try router.chat("r30").status == 200 }
        #expect(try router.chat("r29").status == 404)
    }

    @Test func `a running stream keeps its policy, and the next request uses the new one`() throws {
        let gate = Gate()
        let old = try ScriptedUpstream { exchange in
            try exchange.startStream()
            try exchange.event(OpenAIReplies.contentChunk("old "))
            try gate.wait()
            try exchange.event(OpenAIReplies.contentChunk("still old"))
            try exchange.event(OpenAIReplies.finishChunk)
            try exchange.event(OpenAIReplies.doneEvent)
            try exchange.finishChunks()
        }
        let new = try ScriptedUpstream(ScriptedUpstream.responding("new"))
        let router = try RouterProcess(PolicyText(["a": old], routes: ["  r: { try: a }"]))
        let client = try router.openStream("r")
        let head = try client.readHead()
        #expect(try client.nextContent() == "old ")
        try router.reload(PolicyText(["b": new], routes: ["  r: { try: b }"]).text)
        #expect(try router.chat("r").content == "new")
        #expect(try router.chat("a").status == 404)
        gate.open()
        let rest = try client.readRest(of: head)
        #expect(rest.content == "still old")
        #expect(rest.isDone)
        // The policy no longer contains the old provider, so its connection is closed after its last stream.
        try old.waitForPeerClose()
    }

    @Test func `an unchanged provider keeps its connections`() throws {
        let (kept, changed) = (try ScriptedUpstream(ScriptedUpstream.echoing), try ScriptedUpstream(ScriptedUpstream.echoing))
        let policy = PolicyText(["a": kept, "b": changed])
        let router = try RouterProcess(policy)
        let client = try router.client()
        func chat(_ model: String) throws {
            client.send(RouterProcess.request("POST", "/v1/chat/completions", body: RouterProcess.chatBody(model)))
            #expect(try client.readResponse().status == 200)
        }
        try chat("a")
        try chat("b")
        try router.reload(
            policy.with {
                $0.upstreams.removeLast()
                $0.moreProviders = [
                    "  p-b: { plugin: openai-compatible, base_url: \"http://127.0.0.1:\(changed.port)/v1\", api_key: other }"
                ]
                $0.moreModels = ["  b: { provider: p-b }"]
            }.text)
        try chat("a")
        try chat("b")
        #expect(kept.connections == 1)
        #expect(changed.connections == 2)
        #expect(changed.requests.last?.head["authorization"] == "Bearer other")
    }

    @Test func `a response never mixes two policies`() throws {
        let (a, b) = (
            try ScriptedUpstream(ScriptedUpstream.responding("generation a")),
            try ScriptedUpstream(ScriptedUpstream.responding("generation b"))
        )
        func policy(_ name: String) -> PolicyText {
            PolicyText(["a": a, "b": b], routes: ["  r: { try: \(name) }"]).with {
                $0.provider = "api_key: key-\(name), headers: { X-Generation: \(name) }"
            }
        }
        let router = try RouterProcess(policy("a"))
        let isOver = Watched(false)
        let (mixed, finishedThreads) = (Watched<[String]>([]), Watched(0))
        for _ in 0..<3 {
            Threads.start {
                while !isOver.read({ $0 }) {
                    let response = try? router.chat("r")
                    let model = response?.head["x-router-model"] ?? "nothing"
                    if response?.content != "generation \(model)" || response?.json?["_router"]?["model_name"]?.string != model {
                        mixed.update { $0.append("\(response?.text ?? "none")") }
                    }
                }
                finishedThreads.update { $0 += 1 }
            }
        }
        for index in 1...scaled(20, soak: 200) { try router.reload(policy(index % 2 == 0 ? "a" : "b").text) }
        isOver.update { $0 = true }
        #expect(finishedThreads.wait(until: Deadline(.seconds(30))) { $0 == 3 ? true : nil } == true)
        #expect(mixed.read { $0 } == [])
        for (upstream, name) in [(a, "a"), (b, "b")] {
            #expect(upstream.requests.allSatisfy { $0.head["x-generation"] == name && $0.head["authorization"] == "Bearer key-\(name)" })
        }
    }

    @Test func `a bad file changes nothing, and its error is logged with line and column`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let good = PolicyText(["a": upstream]).text
        let router = try RouterProcess(good)
        let digest = try router.policy()["digest"]
        for (index, bad) in BadPolicies.all.enumerated() {
            let written = router.process.errorLength
            try router.folder.write("routes.yaml", bad.bytes)
            router.process.hangUp()
            try eventually("'\(bad.name)' is counted as a failed reload") {
                try router.metric("llm_router_config_reload_failures_total") == Double(index + 1)
            }
            #expect(try router.metric("config_last_reload_successful") == 0, "\(bad.name)")
            #expect(try router.policy()["digest"] == digest, "\(bad.name)")
            #expect(try router.chat("a", "n\(index)").content == "n\(index)", "\(bad.name)")
            try eventually("the place of '\(bad.name)' is logged") { router.standardError.dropFirst(utf8: written).hasPlace }
        }
        try router.rewrite(good + "# fixed\n")
        router.process.hangUp()
        try eventually("the fixed file is in service") { try router.metric("config_last_reload_successful") == 1 }
        #expect(try router.policy()["last_reload"]?.string == "ok")
    }
}
