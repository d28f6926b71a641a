import Glibc
import TestSupport
import Testing

/// What the metrics say after requests that are known.
@Suite struct MetricsTests {
    @Test func `each family has its value after a known sequence of requests`() throws {
        let usage = #"{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4}}"#
        let broken = try ScriptedUpstream(ScriptedUpstream.failing(500, "disk full"))
        let a = try ScriptedUpstream { try $0.respond(200, OpenAIReplies.buffered("a", usage: usage)) }
        let router = try RouterProcess(
            PolicyText(
                ["broken": broken, "a": a], defaults: "breaker: { failures: 2 }", routes: ["  r: { try: [broken], fallback: [a] }"],
                keys: [
                    "  ops: { secret: admin-secret-of-ops, admin: true }",
                    "  team: { secret: client-secret-of-team, limits: { requests_per_minute: 100, concurrent: 3 }, budget: { tokens: 1000, hard: false } }",
                    "  poor: { secret: client-secret-of-poor, budget: { usd: 2, tokens: 1, per: total, hard: false } }",
                ]
            ).demo)
        let team = "client-secret-of-team", ops = "admin-secret-of-ops"
        #expect(try router.chat("r", key: team).content == "a")
        #expect(try router.chat("broken", key: team).status >= 500)
        #expect(try router.chat("gpt-9", key: team).status == 404)
        #expect(try router.stream("demo", key: team).isDone)
        for _ in 0..<2 { #expect(try router.chat("a", key: "client-secret-of-poor").status == 200) }
        // A response may reach the client before its request is counted.
        _ = try router.waitForRecords(6)
        let text = try router.get("/metrics", key: ops).text
        let samples = Set(text.split(separator: "\n").map(String.init))
        for sample in [
            #"llm_router_requests_total{endpoint="chat",status="200"} 4"#, #"llm_router_requests_total{endpoint="chat",status="404"} 1"#,
            #"llm_router_calls_total{route="r",outcome="ok"} 1"#, #"llm_router_calls_total{route="",outcome="ok"} 3"#,
            #"llm_router_calls_total{route="",outcome="failed"} 1"#, #"llm_router_failed_calls_total{route="",class="upstream_error"} 1"#,
            #"llm_router_fallbacks_total{route="r"} 1"#,
            #"llm_router_failovers_total{from="p-broken/broken",to="p-a/a",class="upstream_error"} 1"#,
            #"llm_router_key_calls_total{key="team",outcome="ok"} 2"#, #"llm_router_key_calls_total{key="team",outcome="failed"} 1"#,
            "llm_router_active_calls 0", #"llm_router_attempts_total{provider="p-broken",model="broken",outcome="failed"} 2"#,
            #"llm_router_attempt_failures_total{provider="p-broken",model="broken",reason="upstream_error"} 2"#,
            "llm_router_streams_open 0", #"llm_router_streams_total{provider="demo",model="demo",outcome="completed"} 1"#,
            #"llm_router_streams_total{provider="demo",model="demo",outcome="broken"} 0"#,
            #"llm_router_request_duration_seconds_count{provider="p-a",model="a"} 3"#,
            #"llm_router_request_duration_seconds_bucket{provider="p-a",model="a",le="+Inf"} 3"#,
            #"llm_router_time_to_first_token_seconds_count{provider="p-a",model="a"} 0"#,
            #"llm_router_time_to_first_token_seconds_count{provider="demo",model="demo"} 1"#, "llm_router_overhead_seconds_count 5",
            "llm_router_queue_seconds_count 0",
            #"llm_router_tokens_total{provider="p-a",model="a",direction="input",kind="uncached",source="reported"} 18"#,
            #"llm_router_tokens_total{provider="p-a",model="a",direction="input",kind="cached",source="reported"} 12"#,
            #"llm_router_tokens_total{provider="p-a",model="a",direction="output",kind="text",source="reported"} 15"#,
            #"llm_router_calls_without_usage_total{provider="p-a",model="a"} 0"#,
            #"llm_router_unpriced_requests_total{provider="p-a",model="a"} 3"#,
            #"llm_router_breaker_state{provider="p-broken",model="broken",state="open"} 1"#,
            #"llm_router_breaker_state{provider="p-a",model="a",state="closed"} 1"#,
            #"llm_router_limit{scope="key",provider="",name="team",limit="requests_per_minute"} 100"#,
            #"llm_router_limit_remaining{scope="key",provider="",name="team",limit="concurrent"} 3"#,
            #"llm_router_limit_waiting{scope="key",provider="",name="team"} 0"#,
            #"llm_router_key_budget_tokens{key="team"} 1000"#, #"llm_router_key_budget_usd{key="poor"} 2.0"#,
            #"llm_router_key_budget_remaining_usd{key="poor"} 2.0"#, #"llm_router_key_budget_remaining_tokens{key="poor"} -29"#,
            #"llm_router_key_requests_beyond_budget_total{key="poor"} 2"#, #"llm_router_key_requests_beyond_budget_total{key="team"} 0"#,
            #"llm_router_upstream_connections{provider="p-a",state="busy"} 0"#, "llm_router_config_generation 1",
            "config_last_reload_successful 1",
        ] {
            #expect(samples.contains(sample), "\(sample) in\n\(text)")
        }
        for (name, least) in [
            ("llm_router_received_bytes_total", 200.0), ("llm_router_sent_bytes_total", 200), ("llm_router_client_connections", 1),
            ("process_cpu_seconds_total", 0.001), ("process_resident_memory_bytes", 1e6), ("process_virtual_memory_bytes", 1e6),
            ("process_open_fds", 5), ("process_max_fds", 5), ("process_start_time_seconds", 1.7e9), ("llm_router_build_info", 1),
        ] {
            #expect(try router.metric(name, key: ops) >= least, "\(name)")
        }
    }

    @Test func `every family is named as Prometheus wants it, and documented`() throws {
        let router = try RouterProcess(PolicyText().demo)
        _ = try router.stream("demo")
        let lines = try router.get("/metrics").text.split(separator: "\n"), document = try Repository.read("docs/operations.md")
        let types = lines.filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ").dropFirst(2).map(String.init) }
        #expect(types.count > 40)
        for family in types {
            #expect((family[1] == "counter") == family[0].hasSuffix("_total"), "\(family)")
            #expect((family[1] == "histogram") <= family[0].hasSuffix("_seconds"), "\(family)")
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
