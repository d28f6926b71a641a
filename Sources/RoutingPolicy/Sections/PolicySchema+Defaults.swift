import ConfigTree

extension PolicyDefaults {
    static let section = OptionSection<PolicyDefaults>(
        "defaults", "what applies if no nearer level says otherwise: request > route > model > provider > defaults",
        [
            Option(defaults: \.timeouts, help: "deadlines of a call and its attempts"),
            Option(defaults: \.retry, help: "further attempts at the same model", check: checkOrder),
            Option(defaults: \.breaker, help: "when a failing model is skipped", check: checkOrder),
            Option(section: "limits", \.limits, Limits.section, help: "bounds each model that sets no limits of its own"),
            Option(
                section: "failover", \.failover, Failover.section,
                help: "what follows a failed attempt, where it differs from the failure table"),
            Option(
                section: "statistics", \.statistics, StatisticsSettings.section,
                help: "what 'weighted', 'best', 'fastest' and 'min_success_rate' take into account"),
            Option("max_models", \.maxModels, .integer(attemptRange), help: "how many models of 'try' one request may be sent to"),
            Option(
                "max_attempts", \.maxAttempts, .integer(attemptRange),
                help: "bounds retries, models, fallbacks and hedges together; one attempt is kept for the fallback"),
            Option(
                "fallback", takes: .other(PolicySchema.chainKind), .words("none"),
                help: "the fallback of every request without one of its own, also of those that name a model",
                entries: { defaults, policy in
                    defaults.fallback.isEmpty ? [] : [OptionEntry("fallback", .list(policy.words(defaults.fallback)))]
                },
                // It may name routes, which are read later.
                read: { fields, schema, _ in schema.defaultFallback = fields.node("fallback") }),
        ])

    static let attemptRange = 1...100
}

extension StatisticsSettings {
    static let section = OptionSection<StatisticsSettings>(
        "statistics", "may be set on defaults",
        [Option("window", \.window, .duration(.seconds(60) ... .seconds(24 * 3600)), help: "how far back statistics look")])
}

/// A delay that is longer than the limit of its doubling is a mistake, though not an error.
func checkOrder(_ fields: inout FieldReader, _ retry: RetryOverrides, _ base: Retry?) {
    fields.warnIfLonger("delay", retry.delay ?? base?.delay, than: "max_delay", retry.maxDelay ?? base?.maxDelay)
}

func checkOrder(_ fields: inout FieldReader, _ breaker: BreakerOverrides, _ base: BreakerSettings?) {
    fields.warnIfLonger("cooldown", breaker.cooldown ?? base?.cooldown, than: "max_cooldown", breaker.maxCooldown ?? base?.maxCooldown)
}

extension FieldReader {
    /// Warns at whichever of the two the section sets.
    fileprivate mutating func warnIfLonger(_ key: String, _ time: Duration?, than limit: String, _ longest: Duration?) {
        guard issues.isEmpty, let time, let longest, time > longest, let place = node(key) ?? node(limit) else { return }
        report(
            ConfigIssue(
                .warning, at: place.position, "'\(key)' is longer than its upper limit '\(limit)' (\(longest.asWritten))",
                hint: "raise '\(limit)', or lower '\(key)'"))
    }
}
