import Glibc
import TestSupport
import Testing

/// What the metrics say after requests that are known.
@Suite struct MetricsTests {
    @Test func `each family has its value after a known sequence of requests`() throws {
        let usage =
            #"{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}"#
        let broken = try ScriptedUpstream(ScriptedUpstream.failing(500, "disk full"))
        let a = try ScriptedUpstream { upstream in
            if upstream.wantsStream { return try upstream.stream(["one", "two"], usage: usage) }
            try upstream.respond(200, OpenAIReplies.buffered("a", usage: usage))
        }
        let garbled = try ScriptedUpstream { upstream in
            let body = Array(OpenAIReplies.buffered("?").utf8).map { $0 == UInt8(ascii: "?") ? 0xFF : $0 }
            try upstream.send(
                Array("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body)
        }
        let router = try RouterProcess(
            PolicyText(
                ["broken": broken, "a": a, "garbled": garbled], defaults: "breaker: { failures: 2 }",
                routes: ["  r: { try: [broken], fallback: [a] }"],
                keys: [
                    "  ops: { secret: admin-secret-of-ops, admin: true }",
                    "  team: { secret: client-secret-of-team, limits: { requests_per_minute: 100, concurrent: 3 }, budget: { tokens: 1000, hard: false }, metadata: { team: search, cost center: 'a\"b' } }",
                    "  poor: { secret: client-secret-of-poor, budget: { usd: 2, tokens: 1, per: total, hard: false } }",
                ]
            ).with {
                $0.moreProviders = [
                    "  pool: { plugin: openai-compatible, base_url: \"http://127.0.0.1:9/v1\", api_key: [one-key-of-two, two-key-of-two] }"
                ]
                $0.moreModels = ["  priced: { provider: p-a, upstream: up-priced, price: { input: 1, output: 2 } }"]
            }.demo)
        let team = "client-secret-of-team", ops = "admin-secret-of-ops"
        #expect(try router.chat("r", key: team).content == "a")
        #expect(try router.chat("broken", key: team).status >= 500)
        #expect(try router.chat("garbled", key: team).status == 502)
        #expect(try router.chat("gpt-9", key: team).status == 404)
        #expect(try router.stream("demo", key: team).isDone)
        #expect(try router.stream("priced", key: team).isDone)
        for _ in 0..<2 { #expect(try router.chat("a", key: "client-secret-of-poor").status == 200) }
        // A response may reach the client before its request is counted.
        _ = try router.waitForRecords(8)
        let text = try router.get("/metrics", key: ops).text
        let samples = Set(text.split(separator: "\n").map(String.init))
        for sample in Self.samples { #expect(samples.contains(sample), "\(sample) in\n\(text)") }
        for (name, least) in Self.leastValues { #expect(try router.metric(name, key: ops) >= least, "\(name)") }
        let families = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map { String($0.split(separator: " ")[2]) }
        let asserted = Set((Self.samples + Self.leastValues.map(\.name)).map { String($0.prefix { $0 != "{" && $0 != " " }) })
        let missing = families.filter { family in
            !["", "_count", "_bucket", "_sum"].contains { asserted.contains(family + $0) } && !Self.withoutSamples.contains(family)
        }
        #expect(missing == [], "not asserted")
        for family in Self.withoutSamples { #expect(!samples.contains { $0.hasPrefix("\(family){") }, "\(family)") }
    }

    /// What the policy of the test has nothing of: transcriptions, and listeners with TLS. Their own tests are in
    /// `AudioTests` and `TLSTests`, those of a shared store in `SharedStateTests`.
    private static let withoutSamples = ["llm_router_audio_seconds_total", "llm_router_certificate_expiry_timestamp_seconds"]

    private static let samples: [String] = {
        let a = #"provider="p-a",model="a""#, broken = #"provider="p-broken",model="broken""#, priced = #"provider="p-a",model="priced""#
        let demo = #"provider="demo",model="demo""#
        return [
            #"llm_router_requests_total{endpoint="chat",status="200"} 5"#, #"llm_router_requests_total{endpoint="chat",status="404"} 1"#,
            "llm_router_log_dropped_total 0", #"llm_router_spans_total{outcome="exported"} 0"#,
            #"llm_router_calls_total{route="r",outcome="ok"} 1"#, #"llm_router_calls_total{route="",outcome="ok"} 4"#,
            #"llm_router_calls_total{route="",outcome="failed"} 2"#, #"llm_router_failed_calls_total{route="",class="upstream_error"} 2"#,
            #"llm_router_fallbacks_total{route="r"} 1"#,
            #"llm_router_failovers_total{from="p-broken/broken",to="p-a/a",class="upstream_error"} 1"#,
            #"llm_router_key_calls_total{key="team",outcome="ok"} 3"#, #"llm_router_key_calls_total{key="team",outcome="failed"} 2"#,
            #"llm_router_key_tokens_total{key="poor",direction="input"} 20"#,
            #"llm_router_key_tokens_total{key="poor",direction="output"} 10"#,
            #"llm_router_key_cost_usd_total{key="team"} 2e-05"#, "llm_router_active_calls 0",
            "llm_router_attempts_total{\(broken),outcome=\"failed\"} 2", "llm_router_attempts_total{\(a),outcome=\"ok\"} 3",
            "llm_router_attempt_failures_total{\(broken),reason=\"upstream_error\"} 2",
            #"llm_router_attempt_failures_total{provider="p-garbled",model="garbled",reason="invalid_utf8"} 1"#,
            "llm_router_unknown_finish_reasons_total{\(a)} 0", "llm_router_replayed_requests_total{\(a)} 0",
            "llm_router_repaired_requests_total{\(a)} 0", "llm_router_streams_open 0",
            "llm_router_streams_total{\(demo),outcome=\"completed\"} 1", "llm_router_streams_total{\(demo),outcome=\"broken\"} 0",
            "llm_router_backpressure_holds_total 0", "llm_router_request_duration_seconds_count{\(a)} 3",
            "llm_router_request_duration_seconds_bucket{\(a),le=\"+Inf\"} 3", "llm_router_time_to_first_token_seconds_count{\(a)} 0",
            "llm_router_time_to_first_token_seconds_count{\(demo)} 1", "llm_router_time_per_output_token_seconds_count{\(priced)} 1",
            "llm_router_overhead_seconds_count 7", "llm_router_queue_seconds_count 0",
            "llm_router_tokens_total{\(a),direction=\"input\",kind=\"uncached\",source=\"reported\"} 18",
            "llm_router_tokens_total{\(a),direction=\"input\",kind=\"cached\",source=\"reported\"} 12",
            "llm_router_tokens_total{\(a),direction=\"input\",kind=\"cache_write\",source=\"reported\"} 0",
            "llm_router_tokens_total{\(a),direction=\"output\",kind=\"text\",source=\"reported\"} 9",
            "llm_router_tokens_total{\(a),direction=\"output\",kind=\"reasoning\",source=\"reported\"} 6",
            "llm_router_calls_without_usage_total{\(a)} 0", "llm_router_cost_usd_total{\(priced)} 2e-05",
            "llm_router_unpriced_requests_total{\(a)} 3", "llm_router_unpriced_requests_total{\(priced)} 0",
            "llm_router_breaker_state{\(broken),state=\"open\"} 1", "llm_router_breaker_open{\(broken)} 1",
            "llm_router_breaker_state{\(a),state=\"closed\"} 1", "llm_router_model_success_rate{\(broken)} 0.0",
            #"llm_router_route_usable_models{route="r"} 1"#, "llm_router_model_in_flight{\(a)} 0",
            #"llm_router_limit{scope="key",provider="",name="team",limit="requests_per_minute"} 100"#,
            #"llm_router_limit_remaining{scope="key",provider="",name="team",limit="concurrent"} 3"#,
            #"llm_router_limit_waiting{scope="key",provider="",name="team"} 0"#,
            #"llm_router_provider_keys{provider="pool",state="ready"} 2"#,
            #"llm_router_key_info{key="team",metadata_team="search",metadata_cost_center="a\"b"} 1"#, #"llm_router_key_info{key="poor"} 1"#,
            #"llm_router_key_budget_tokens{key="team"} 1000"#, #"llm_router_key_budget_usd{key="poor"} 2.0"#,
            #"llm_router_key_budget_remaining_usd{key="poor"} 2.0"#, #"llm_router_key_budget_remaining_tokens{key="poor"} -29"#,
            #"llm_router_key_requests_beyond_budget_total{key="poor"} 2"#, #"llm_router_key_requests_beyond_budget_total{key="team"} 0"#,
            #"llm_router_upstream_connections{provider="p-a",state="busy"} 0"#, #"llm_router_upstream_waiting{provider="p-a"} 0"#,
            "llm_router_buffered_bytes 0", "llm_router_spooled_bytes 0", "llm_router_config_reloads_total 0",
            "llm_router_config_reload_failures_total 0", "llm_router_config_generation 1", "config_last_reload_successful 1",
        ]
    }()

    /// What depends on the machine, on times or on the sizes of reads.
    private static let leastValues: [(name: String, value: Double)] = [
        ("llm_router_received_bytes_total", 200), ("llm_router_sent_bytes_total", 200), ("llm_router_chunk_bytes_count", 1),
        ("llm_router_chunk_bytes_sum", 100), ("llm_router_client_connections", 1), ("config_last_reload_success_timestamp_seconds", 1.7e9),
        ("process_cpu_seconds_total", 0.001), ("process_resident_memory_bytes", 1e6), ("process_virtual_memory_bytes", 1e6),
        ("process_open_fds", 5), ("process_max_fds", 5), ("process_start_time_seconds", 1.7e9), ("llm_router_build_info", 1),
    ]

    @Test func `the example policy makes as many series as the documents say`() throws {
        let router = try RouterProcess(FirstMinuteTests.shipped())
        func series() throws -> [Substring] { try router.get("/metrics").text.split(separator: "\n").filter { !$0.hasPrefix("#") } }
        let before = try series().count
        #expect(try router.stream("demo").isDone)
        _ = try router.waitForRecords(1)
        let after = try series().filter { $0.contains(#"model="demo""#) }
        let unused = try series().count { $0.contains(#"model="gpt-4o""#) }
        let histograms = after.count { $0.contains("_bucket{") || $0.contains("_sum{") || $0.contains("_count{") }
        let document = try Repository.read("docs/operations.md").replacing("\n", with: " ")
        #expect(document.contains("A model that is in use has about 90, of which \(histograms) are histograms"))
        #expect(document.contains("about 120 at the start, and about 800 with all its eight models in use"))
        #expect(85...95 ~= after.count && 115...125 ~= before && 750...850 ~= before + 8 * (after.count - unused))
    }

    @Test func `every family is named as Prometheus wants it, and documented`() throws {
        let router = try RouterProcess(PolicyText().demo)
        _ = try router.stream("demo")
        let lines = try router.get("/metrics").text.split(separator: "\n"), document = try Repository.read("docs/operations.md")
        let types = lines.filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ").dropFirst(2).map(String.init) }
        #expect(types.count > 40)
        for family in types {
            #expect((family[1] == "counter") == family[0].hasSuffix("_total"), "\(family)")
            #expect((family[1] == "histogram") <= (family[0].hasSuffix("_seconds") || family[0].hasSuffix("_bytes")), "\(family)")
            #expect(document.contains("`\(family[0])`"), "\(family[0]) isn't in docs/operations.md")
        }
    }

    @Test func `a scraper that prefers OpenMetrics gets it, and everyone else gets Prometheus' own format`() throws {
        let router = try RouterProcess(PolicyText().demo)
        // Source: Prometheus 2.42, scrape/scrape.go.
        let prometheus =
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
        let open = try router.call("GET", "/metrics", fields: ["Accept: \(prometheus)"])
        #expect(open.head["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8")
        #expect(open.text.hasSuffix("# EOF\n") && open.text.contains("# TYPE llm_router_requests counter"))
        for fields in [[], ["Accept: */*"], ["Accept: text/plain"]] {
            let plain = try router.call("GET", "/metrics", fields: fields)
            #expect(plain.head["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(!plain.text.contains("# EOF"))
        }
    }
}

/// Whether the first implies the second.
private func <= (one: Bool, other: Bool) -> Bool { !one || other }
