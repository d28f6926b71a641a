import ConfigTree

/// `defaults`, and the sections that may stand in it and elsewhere too: `timeouts`, `retry`, `breaker`, `limits`.
extension PolicySchema {
    struct Defaults {
        var timeouts = TimeoutOverrides()
        var retry = Retry()
        var breaker = BreakerSettings()
        /// Of each model that gives none of its own.
        var limits = Limits()
        var failover = Failover()
        var statisticsWindow: Duration = .seconds(600)
        var maxModels = 4
        var maxAttempts = 4
    }

    static let attemptRange = 1...100
    static let countRange = 1...1_000_000_000

    mutating func readDefaults(_ fields: inout FieldReader) -> Defaults {
        section("defaults", of: &fields) { fields, schema in
            var defaults = Defaults()
            defaults.timeouts = schema.readTimeouts(&fields)
            defaults.retry = defaults.retry.overridden(by: schema.readRetry(&fields, over: defaults.retry))
            defaults.breaker = schema.readBreaker(&fields, over: defaults.breaker)
            defaults.limits = schema.readLimits(&fields)
            defaults.failover = schema.readFailover(&fields)
            defaults.statisticsWindow = schema.readStatisticsWindow(&fields) ?? defaults.statisticsWindow
            defaults.maxModels = fields.int("max_models", in: PolicySchema.attemptRange) ?? defaults.maxModels
            defaults.maxAttempts = fields.int("max_attempts", in: PolicySchema.attemptRange) ?? defaults.maxAttempts
            return defaults
        } ?? Defaults()
    }

    mutating func readTimeouts(_ fields: inout FieldReader) -> TimeoutOverrides {
        section("timeouts", of: &fields) { fields, _ in
            var timeouts = TimeoutOverrides()
            timeouts.queue = fields.duration("queue")
            timeouts.connect = fields.duration("connect")
            timeouts.write = fields.duration("write")
            timeouts.firstByte = fields.duration("first_byte")
            timeouts.firstContent = fields.duration("first_content")
            timeouts.idle = fields.duration("idle")
            timeouts.response = fields.duration("response")
            timeouts.poolIdle = fields.duration("pool_idle")
            timeouts.total = fields.duration("total")
            return timeouts
        } ?? TimeoutOverrides()
    }

    /// - Parameter below: what the levels below give, where the schema knows it.
    mutating func readRetry(_ fields: inout FieldReader, over below: Retry? = nil) -> RetryOverrides {
        section("retry", of: &fields) { fields, _ in
            var retry = RetryOverrides()
            retry.retries = fields.int("retries", in: 0...10)
            retry.delay = fields.duration("delay")
            retry.maxDelay = fields.duration("max_delay")
            retry.jitter = fields.ratio("jitter")
            if let delay = retry.delay ?? below?.delay, let longest = retry.maxDelay ?? below?.maxDelay, delay > longest {
                fields.warnUnordered("delay", above: "max_delay", longest)
            }
            return retry
        } ?? RetryOverrides()
    }

    /// These settings over those of the level below.
    mutating func readBreaker(_ fields: inout FieldReader, over below: BreakerSettings) -> BreakerSettings {
        section("breaker", of: &fields) { fields, _ in
            var breaker = below
            breaker.failures = fields.int("failures", in: 1...1000) ?? below.failures
            breaker.cooldown = fields.duration("cooldown") ?? below.cooldown
            breaker.maxCooldown = fields.duration("max_cooldown") ?? below.maxCooldown
            breaker.jitter = fields.ratio("jitter") ?? below.jitter
            breaker.successes = fields.int("successes", in: 1...1000) ?? below.successes
            if breaker.cooldown > breaker.maxCooldown { fields.warnUnordered("cooldown", above: "max_cooldown", breaker.maxCooldown) }
            return breaker
        } ?? below
    }

    mutating func readLimits(_ fields: inout FieldReader) -> Limits {
        section("limits", of: &fields) { fields, _ in
            Limits(
                requestsPerMinute: fields.int("requests_per_minute", in: PolicySchema.countRange),
                tokensPerMinute: fields.int("tokens_per_minute", in: PolicySchema.countRange),
                concurrent: fields.int("concurrent", in: PolicySchema.countRange))
        } ?? Limits()
    }

    private mutating func readStatisticsWindow(_ fields: inout FieldReader) -> Duration? {
        section("statistics", of: &fields) { fields, _ in fields.duration("window", in: .seconds(60) ... .seconds(24 * 3600)) } ?? nil
    }
}

extension FieldReader {
    /// At whichever of the two the section gives.
    fileprivate mutating func warnUnordered(_ key: String, above maximum: String, _ longest: Duration) {
        guard issues.isEmpty, let place = node(key) ?? node(maximum) else { return }
        report(
            ConfigIssue(
                .warning, at: place.position, "'\(key)' is longer than '\(maximum)' (\(longest.asWritten)), which bounds it",
                hint: "raise '\(maximum)', or lower '\(key)'"))
    }
}
