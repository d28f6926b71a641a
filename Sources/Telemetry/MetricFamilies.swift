import Engine
import ProviderKit
import RoutingPolicy

/// All metrics, in the order in which they are shown. No other code names them.
struct MetricFamilies {
    private(set) var all: [MetricFamily] = []

    init(_ sources: MetricSources) {
        addRequests(sources.values)
        addCalls(sources.values)
        addAttempts(sources.values)
        addTimes(sources.values)
        addUsage(sources.values)
        addStates(sources)
        addLimits(sources)
        addKeys(sources.keys)
        addBudgets(sources.budgets)
        addSharedStore(sources.sharedStore)
        addConnections(sources)
        addPolicy(sources)
        addProcess(sources)
    }

    private mutating func addRequests(_ values: MetricValues) {
        family("llm_router_requests_total", .counter, "Requests, by endpoint and status; status 499 means that the client left.")
        for (key, count) in values.requests.sorted(by: { ($0.key.endpoint, $0.key.status) < ($1.key.endpoint, $1.key.status) }) {
            sample([("endpoint", key.endpoint), ("status", "\(key.status)")], count)
        }
        counter("llm_router_received_bytes_total", "Bytes of request bodies.", values.receivedBytes)
        counter("llm_router_sent_bytes_total", "Bytes of response bodies.", values.sentBytes)
        counter("llm_router_log_dropped_total", "Access log lines that were dropped.", values.droppedLogLines)
        family("llm_router_spans_total", .counter, "Spans of traces: exported, and dropped because the collector didn't take them.")
        sample([("outcome", "exported")], values.exportedSpans)
        sample([("outcome", "dropped")], values.droppedSpans)
    }

    private mutating func addCalls(_ values: MetricValues) {
        let routes = values.routes.byName.sorted { $0.key < $1.key }
        family("llm_router_calls_total", .counter, "Calls by route, which is empty if the client names a model, and by outcome.")
        for (route, calls) in routes { for (outcome, count) in calls.outcomes { sample([("route", route), ("outcome", outcome)], count) } }
        family("llm_router_failed_calls_total", .counter, "Calls without a complete response, by the class of their last failure.")
        for (route, calls) in routes {
            for (failure, count) in calls.failed.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                sample([("route", route), ("class", failure.rawValue)], count)
            }
        }
        family("llm_router_fallbacks_total", .counter, "Responses that came from a route's fallback.")
        for (route, calls) in routes where calls.fallbacks > 0 { sample([("route", route)], calls.fallbacks) }
        family("llm_router_failovers_total", .counter, "Calls that went on to another model, by the class of the failure before.")
        let failovers = values.failovers.map { (labels: $0.key.labels, count: $0.value) }
        for (labels, count) in failovers.sorted(by: { $0.labels.map(\.1).lexicographicallyPrecedes($1.labels.map(\.1)) }) {
            sample(labels, count)
        }
        let keys = values.keys.byName.sorted { $0.key < $1.key }
        family("llm_router_key_calls_total", .counter, "Calls by client key and outcome.")
        for (key, calls) in keys { for (outcome, count) in calls.outcomes { sample([("key", key), ("outcome", outcome)], count) } }
        family("llm_router_key_tokens_total", .counter, "Tokens by client key, reported or estimated.")
        for (key, calls) in keys {
            sample([("key", key), ("direction", "input")], calls.tokens.input)
            sample([("key", key), ("direction", "output")], calls.tokens.output)
        }
        family("llm_router_key_cost_usd_total", .counter, "Cost in US dollars by client key, as far as it is known.")
        for (key, calls) in keys { sample([("key", key)], calls.cost) }
        gauge("llm_router_active_calls", "Running calls.", values.activeCalls)
    }

    private mutating func addAttempts(_ values: MetricValues) {
        let models = Self.sorted(values.models)
        family("llm_router_attempts_total", .counter, "Attempts to call a model, by outcome.")
        for (name, model) in models {
            sample(name.labels + [("outcome", "ok")], model.succeeded)
            sample(name.labels + [("outcome", "failed")], model.failures.values.reduce(0, +))
            sample(name.labels + [("outcome", "cancelled")], model.cancelled)
        }
        family("llm_router_attempt_failures_total", .counter, "Failed attempts, by reason; the reason of a timeout names the timer.")
        for (name, model) in models {
            for (reason, count) in model.failures.sorted(by: { $0.key < $1.key }) {
                sample(name.labels + [("reason", reason)], count)
            }
        }
        each(
            models, "llm_router_unknown_finish_reasons_total", .counter,
            "Responses that ended with a finish reason which the router doesn't know."
        ) { .integer($0.unknownFinishReasons) }
        each(
            models, "llm_router_replayed_requests_total", .counter,
            "Requests that were sent again because the upstream had closed a kept connection without a response."
        ) { .integer($0.replays) }
        each(
            models, "llm_router_repaired_requests_total", .counter, "Refused requests that were sent again to the same model with a repair."
        ) { .integer($0.repairs) }
        gauge("llm_router_streams_open", "Running streams that have their first content.", values.openStreams)
        family("llm_router_streams_total", .counter, "Streams with content that have ended: completed, broken, or cancelled by the client.")
        for (name, model) in models {
            for end in ModelCounters.StreamEnd.allCases { sample(name.labels + [("outcome", end.rawValue)], model.streams[end] ?? 0) }
        }
        family(
            "llm_router_chunk_bytes", .histogram,
            "Sizes of the chunks in which upstreams send the bodies of their streams, after the first content.")
        sample([], .histogram(values.chunkSizes))
        counter(
            "llm_router_backpressure_holds_total", "How often a slow client has stopped the reading of its upstream's stream.", values.holds
        )
    }

    private mutating func addTimes(_ values: MetricValues) {
        let models = Self.sorted(values.models)
        each(
            models, "llm_router_request_duration_seconds", .histogram,
            "From the arrival of requests to the end of their complete responses, by the model that served them."
        ) { .histogram($0.duration) }
        each(
            models, "llm_router_time_to_first_token_seconds", .histogram,
            "From the arrival of requests to the first content of their streams."
        ) { .histogram($0.firstToken) }
        each(
            models, "llm_router_time_per_output_token_seconds", .histogram,
            "From the first content of complete streams to their end, for each token after the first; where tokens are reported."
        ) { .histogram($0.perOutputToken) }
        family(
            "llm_router_overhead_seconds", .histogram,
            "What the router itself takes: from the end of a request's body to its plan, before it waits or calls anyone.")
        sample([], .histogram(values.overhead))
        family("llm_router_queue_seconds", .histogram, "Time in queues for slots of keys, models and providers, of the calls that waited.")
        sample([], .histogram(values.queue))
    }

    private mutating func addUsage(_ values: MetricValues) {
        let models = Self.sorted(values.models)
        family(
            "llm_router_tokens_total", .counter,
            "Tokens, reported by the provider or estimated from bytes; the kinds of a direction don't overlap.")
        for (name, model) in models {
            for (source, tokens) in [("reported", model.reported), ("estimated", model.estimated)] {
                for (direction, kind, count) in tokens.labelled {
                    sample(name.labels + [("direction", direction), ("kind", kind), ("source", source)], count)
                }
            }
        }
        each(models, "llm_router_calls_without_usage_total", .counter, "Complete or broken responses whose tokens were not reported.") {
            .integer($0.withoutUsage)
        }
        each(
            models.filter { $0.value.audioSeconds > 0 }, "llm_router_audio_seconds_total", .counter,
            "Seconds of transcribed audio, where the provider reports them."
        ) { .real($0.audioSeconds) }
        each(
            models, "llm_router_cost_usd_total", .counter,
            "Cost in US dollars, as reported by the provider or computed from the policy's prices."
        ) { .real($0.cost) }
        each(
            models, "llm_router_unpriced_requests_total", .counter,
            "Requests without a known cost: the policy's prices don't say it, and the provider reported none."
        ) { .integer($0.unpriced) }
    }

    private mutating func addStates(_ sources: MetricSources) {
        let states = Self.sorted(sources.states)
        family("llm_router_breaker_state", .gauge, "1 for the state of the breaker of the model, or of its provider's account.")
        for (name, state) in states {
            for phase in BreakerPhase.allCases { sample(name.labels + [("state", phase.rawValue)], state.breaker == phase ? 1 : 0) }
        }
        each(
            states, "llm_router_breaker_open", .gauge,
            "Replaced by llm_router_breaker_state: 1 if the breaker of the model, or of its provider's account, is open or half-open."
        ) { .integer($0.breaker == .closed ? 0 : 1) }
        each(
            states, "llm_router_model_success_rate", .gauge,
            "Success rate of the model's attempts in the statistics window; 1 without attempts."
        ) { .real(Double($0.statistics.successRate)) }
        each(states, "llm_router_model_in_flight", .gauge, "Running attempts.") { .integer($0.inFlight) }
        family(
            "llm_router_route_usable_models", .gauge, "Models of the route, and of its fallbacks, that would be called now; 0: it is down.")
        for route in sources.usableModels { sample([("route", route.route)], route.count) }
    }

    private mutating func addLimits(_ sources: MetricSources) {
        let rows = sources.limiters.flatMap { limiter in limiter.rows.map { (labels: limiter.labels + [("limit", $0.limit)], row: $0) } }
        family("llm_router_limit", .gauge, "Limits of models, providers and keys: requests and tokens per minute, and concurrent requests.")
        for (labels, row) in rows { sample(labels, row.most) }
        family("llm_router_limit_remaining", .gauge, "What is left of the limits; negative tokens are a debt.")
        for (labels, row) in rows { sample(labels, row.left) }
        family("llm_router_limit_waiting", .gauge, "Requests in the queues for concurrent requests.")
        for limiter in sources.limiters {
            if let waiting = limiter.view.waiting { sample(limiter.labels, waiting) }
        }
        family(
            "llm_router_provider_keys", .gauge,
            "Keys of a provider with several, by state: ready, or in cooldown because they are limited or refused.")
        for provider in sources.providerKeys {
            for (state, count) in provider.keys { sample([("provider", provider.provider), ("state", state)], count) }
        }
    }

    private mutating func addKeys(_ keys: [(name: String, labels: [KeyLabel])]) {
        guard !keys.isEmpty else { return }
        family("llm_router_key_info", .gauge, "Always 1; the metadata of a client key is in the labels.")
        for key in keys { sample([("key", key.name)] + key.labels.map { ($0.metricName, $0.text) }, 1) }
    }

    private mutating func addBudgets(_ budgets: [KeyBudgetView]) {
        func eachKey(_ name: String, _ kind: MetricFamily.Kind, _ help: String, _ read: (KeyBudgetView) -> MetricFamily.Value?) {
            family(name, kind, help)
            for budget in budgets { if let value = read(budget) { sample([("key", budget.key)], value) } }
        }
        eachKey("llm_router_key_budget_usd", .gauge, "Budgets of client keys in US dollars.") { $0.terms.dollars.map { .real($0) } }
        eachKey("llm_router_key_budget_remaining_usd", .gauge, "What is left of them in this period; negative beyond a budget.") {
            $0.dollarsLeft.map { .real($0) }
        }
        eachKey("llm_router_key_budget_tokens", .gauge, "Budgets of client keys in tokens.") { $0.terms.tokens.map { .integer($0) } }
        eachKey("llm_router_key_budget_remaining_tokens", .gauge, "What is left of them in this period; negative beyond a budget.") {
            $0.tokensLeft.map { .integer($0) }
        }
        eachKey("llm_router_key_requests_beyond_budget_total", .counter, "Requests that were served beyond a budget that isn't hard.") {
            $0.terms.isHard ? nil : .integer($0.account.requestsBeyond)
        }
    }

    /// Nothing for a router that counts alone.
    private mutating func addSharedStore(_ store: SharedStoreStatus?) {
        guard let store else { return }
        gauge(
            "llm_router_state_up", "1 if the store that several routers share can be used, 0 if the router decides without it.",
            store.isUp ? 1 : 0)
        counter(
            "llm_router_state_round_trips_total", "Decisions, settlements and news of breakers that the shared store has answered.",
            store.roundTrips)
        counter("llm_router_state_failures_total", "Those that it refused, or did not answer in time.", store.failures)
        counter(
            "llm_router_state_local_decisions_total", "Requests that were decided without the shared store, as 'on_failure' says.",
            store.decidedAlone)
    }

    private mutating func addConnections(_ sources: MetricSources) {
        gauge("llm_router_client_connections", "Open connections of clients.", sources.service.openConnections)
        family(
            "llm_router_certificate_expiry_timestamp_seconds", .gauge, "When the certificates of listeners expire, in seconds since 1970.")
        for certificate in sources.service.certificates { sample([("listener", certificate.listener)], certificate.expires) }
        family("llm_router_upstream_connections", .gauge, "Connections to providers: busy with a request or being opened, and idle.")
        for pool in sources.pools {
            sample([("provider", pool.provider), ("state", "busy")], pool.busy)
            sample([("provider", pool.provider), ("state", "idle")], pool.idle)
        }
        family("llm_router_upstream_waiting", .gauge, "Requests that wait for a connection to their provider.")
        for pool in sources.pools { sample([("provider", pool.provider)], pool.waiting) }
        gauge(
            "llm_router_buffered_bytes",
            "Bytes of large bodies and events that are being assembled, and of responses that wait for their clients; server.max_buffered is the limit.",
            sources.bufferedBytes)
        gauge("llm_router_spooled_bytes", "Bytes of uploads in files; server.max_spooled is the limit.", sources.spooledBytes)
    }

    private mutating func addPolicy(_ sources: MetricSources) {
        let policy = sources.policy
        counter("llm_router_config_reloads_total", "Reloads of the policy, including those that failed.", policy.reloads)
        counter("llm_router_config_reload_failures_total", "Failed reloads; each keeps the running policy.", policy.failedReloads)
        gauge("llm_router_config_generation", "The number of the policy in service, from 1.", sources.generation)
        gauge(
            "config_last_reload_successful", "1 if the last load of the policy succeeded, 0 if it failed.", policy.lastErrors == nil ? 1 : 0
        )
        gauge(
            "config_last_reload_success_timestamp_seconds", "When the policy in service was loaded, in seconds since 1970.", policy.loadedAt
        )
        family("llm_router_build_info", .gauge, "Always 1; the version of the program and the digest of the policy are in the labels.")
        sample([("version", sources.service.version), ("config", policy.digest)], 1)
    }

    /// The names are those that Prometheus' own client libraries use.
    private mutating func addProcess(_ sources: MetricSources) {
        let process = sources.process
        family("process_cpu_seconds_total", .counter, "User and system CPU time in seconds.")
        sample([], process.cpuSeconds)
        gauge("process_resident_memory_bytes", "Resident memory in bytes.", process.residentBytes)
        gauge("process_virtual_memory_bytes", "Virtual memory in bytes.", process.virtualBytes)
        gauge("process_open_fds", "Open file descriptors.", process.openDescriptors)
        gauge("process_max_fds", "The limit of open file descriptors.", process.maxDescriptors)
        gauge("process_start_time_seconds", "When the process started, in seconds since 1970.", sources.service.startedAt)
    }

    // MARK: Building

    private static func sorted<Value>(_ values: [ModelName: Value]) -> [(key: ModelName, value: Value)] {
        values.sorted { ($0.key.provider, $0.key.model) < ($1.key.provider, $1.key.model) }
    }

    /// A family with one sample for each model.
    private mutating func each<Value>(
        _ models: [(key: ModelName, value: Value)], _ name: String, _ kind: MetricFamily.Kind, _ help: String,
        _ read: (Value) -> MetricFamily.Value
    ) {
        family(name, kind, help)
        for (name, model) in models { sample(name.labels, read(model)) }
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

    private mutating func sample(_ labels: [(String, String)], _ value: Int) { sample(labels, .integer(value)) }

    private mutating func sample(_ labels: [(String, String)], _ value: Double) { sample(labels, .real(value)) }

    private mutating func sample(_ labels: [(String, String)], _ value: MetricFamily.Value) {
        all[all.count - 1].samples.append(MetricFamily.Sample(labels: labels.map { ($0, $1) }, value: value))
    }
}

extension ModelName {
    fileprivate var labels: [(String, String)] { [("provider", provider), ("model", model)] }
}

extension MetricValues.Failover {
    fileprivate var labels: [(String, String)] {
        [("from", "\(from.provider)/\(from.model)"), ("to", "\(to.provider)/\(to.model)"), ("class", failure.rawValue)]
    }
}

extension CallCounters {
    /// The calls by outcome.
    fileprivate var outcomes: [(String, Int)] {
        let cancelled = failed[.cancelled] ?? 0
        return [("ok", succeeded), ("failed", failed.values.reduce(0, +) - cancelled), ("cancelled", cancelled)]
    }
}

extension NamedLimiterView {
    fileprivate var labels: [(String, String)] { [("scope", scope.rawValue), ("provider", provider ?? ""), ("name", name)] }

    /// Each limit, what it allows, and what is left of it.
    fileprivate var rows: [(limit: String, most: Int, left: Int)] {
        let limits = view.limits
        return [
            limits.requestsPerMinute.map { ("requests_per_minute", $0, view.requestsLeft ?? $0) },
            limits.tokensPerMinute.map { ("tokens_per_minute", $0, view.tokensLeft ?? $0) },
            limits.concurrent.map { ("concurrent", $0, $0 - (view.slotsInUse ?? 0)) },
        ].compactMap(\.self)
    }
}
