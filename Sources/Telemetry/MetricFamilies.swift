package import Engine

/// All metrics, in the order in which they are shown. No other code names them.
package struct MetricFamilies {
    package private(set) var all: [MetricFamily] = []

    package init(
        _ values: MetricValues, _ policy: PolicyStatus.Value, states: [ModelName: ModelStateView],
        keys: [(provider: String, keys: [(state: String, count: Int)])] = [], bufferedBytes: Int, spooledBytes: Int
    ) {
        family("llm_router_requests_total", .counter, "Requests, by endpoint and status; status 499 means that the client left.")
        for (key, count) in values.requests.sorted(by: { ($0.key.endpoint, $0.key.status) < ($1.key.endpoint, $1.key.status) }) {
            sample([("endpoint", key.endpoint), ("status", "\(key.status)")], count)
        }
        let models = values.models.sorted { ($0.key.provider, $0.key.model) < ($1.key.provider, $1.key.model) }
        family("llm_router_attempts_total", .counter, "Attempts to call a model, by outcome.")
        for (name, model) in models {
            sample(labels(name) + [("outcome", "ok")], model.succeeded)
            sample(labels(name) + [("outcome", "failed")], model.failures.values.reduce(0, +))
        }
        family("llm_router_attempt_failures_total", .counter, "Failed attempts, by reason; the reason of a timeout names the timer.")
        for (name, model) in models {
            for (reason, count) in model.failures.sorted(by: { $0.key < $1.key }) {
                sample(labels(name) + [("reason", reason)], count)
            }
        }
        family(
            "llm_router_unknown_finish_reasons_total", .counter, "Responses that ended with a finish reason which the router doesn't know."
        )
        for (name, model) in models { sample(labels(name), model.unknownFinishReasons) }
        family(
            "llm_router_replayed_requests_total", .counter,
            "Requests that were sent again because the upstream had closed a kept connection without a response.")
        for (name, model) in models { sample(labels(name), model.replays) }
        family(
            "llm_router_repaired_requests_total", .counter, "Refused requests that were sent again to the same model with a repair.")
        for (name, model) in models { sample(labels(name), model.repairs) }
        family("llm_router_fallbacks_total", .counter, "Responses that came from a route's fallback.")
        for (route, count) in values.fallbacks.sorted(by: { $0.key < $1.key }) {
            sample([("route", route)], count)
        }
        family("llm_router_tokens_total", .counter, "Tokens, reported by the provider or estimated from bytes.")
        for (name, model) in models {
            for (source, count) in [("reported", model.reported), ("estimated", model.estimated)] {
                sample(labels(name) + [("kind", "prompt"), ("source", source)], count.prompt)
                sample(labels(name) + [("kind", "completion"), ("source", source)], count.completion)
            }
        }
        family(
            "llm_router_audio_seconds_total", .counter, "Seconds of transcribed audio, where the provider reports them.")
        for (name, model) in models where model.audioSeconds > 0 {
            sample(labels(name), model.audioSeconds)
        }
        family(
            "llm_router_cost_usd_total", .counter, "Cost in US dollars, as reported by the provider or computed from the policy's prices.")
        for (name, model) in models { sample(labels(name), model.cost) }
        family(
            "llm_router_unpriced_requests_total", .counter,
            "Requests without a known cost: the model has no price in the policy, and its provider reported none.")
        for (name, model) in models { sample(labels(name), model.unpriced) }
        write(states)
        family(
            "llm_router_provider_keys", .gauge,
            "Keys of a provider with several, by state: ready, or in cooldown because they are limited or refused.")
        for provider in keys {
            for (state, count) in provider.keys {
                sample([("provider", provider.provider), ("state", state)], count)
            }
        }
        gauge("llm_router_active_calls", "Running calls.", values.activeCalls)
        gauge(
            "llm_router_buffered_bytes",
            "Bytes of large bodies and events that are being assembled, and of responses that wait for their clients; server.max_buffered is the limit.",
            bufferedBytes)
        gauge("llm_router_spooled_bytes", "Bytes of uploads in files; server.max_spooled is the limit.", spooledBytes)
        counter("llm_router_log_dropped_total", "Access log lines that were dropped.", values.droppedLogLines)
        counter("llm_router_config_reloads_total", "Reloads of the policy, including those that failed.", policy.reloads)
        counter("llm_router_config_reload_failures_total", "Failed reloads; each keeps the running policy.", policy.failedReloads)
        gauge(
            "config_last_reload_successful", "1 if the last load of the policy succeeded, 0 if it failed.", policy.lastErrors == nil ? 1 : 0
        )
        gauge(
            "config_last_reload_success_timestamp_seconds", "When the policy in service was loaded, in seconds since 1970.", policy.loadedAt
        )
    }

    private mutating func write(_ states: [ModelName: ModelStateView]) {
        let states = states.sorted { ($0.key.provider, $0.key.model) < ($1.key.provider, $1.key.model) }
        family("llm_router_breaker_open", .gauge, "1 if the breaker of the model, or of its provider's account, is open or half-open.")
        for (name, state) in states { sample(labels(name), state.breaker == .closed ? 0 : 1) }
        family(
            "llm_router_model_success_rate", .gauge, "Success rate of the model's attempts in the statistics window; 1 without attempts.")
        for (name, state) in states { sample(labels(name), Double(state.statistics.successRate)) }
        family("llm_router_model_in_flight", .gauge, "Running attempts.")
        for (name, state) in states { sample(labels(name), state.inFlight) }
    }

    private func labels(_ name: ModelName) -> [(String, String)] {
        [("provider", name.provider), ("model", name.model)]
    }

    private mutating func gauge(_ name: String, _ help: String, _ value: Int) {
        family(name, .gauge, help)
        sample([], value)
    }

    private mutating func counter(_ name: String, _ help: String, _ value: Int) {
        family(name, .counter, help)
        sample([], value)
    }

    private mutating func family(_ name: String, _ kind: MetricFamily.Kind, _ help: String) {
        all.append(MetricFamily(name: name, kind: kind, help: help))
    }

    private mutating func sample(_ labels: [(String, String)], _ value: Int) {
        add(labels, .integer(value))
    }

    private mutating func sample(_ labels: [(String, String)], _ value: Double) {
        add(labels, .real(value))
    }

    private mutating func add(_ labels: [(String, String)], _ value: MetricFamily.Value) {
        all[all.count - 1].samples.append(MetricFamily.Sample(labels: labels.map { ($0, $1) }, value: value))
    }
}
