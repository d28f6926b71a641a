import ProviderKit
import RoutingPolicy

/// A policy's values as routes.yaml writes them, with only what is given: for the difference that a reload logs.

func decimal(_ number: Double) -> String {
    Int(exactly: number).map { "\($0)" } ?? "\(number)"
}

/// `name value` for each that is given.
private func given(_ fields: KeyValuePairs<String, String?>) -> String {
    fields.compactMap { name, value in value.map { "\(name) \($0)" } }.joined(separator: ", ")
}

extension TimeoutOverrides {
    var words: String {
        given([
            "queue": queue?.asWritten, "connect": connect?.asWritten, "write": write?.asWritten, "first_byte": firstByte?.asWritten,
            "first_content": firstContent?.asWritten, "idle": idle?.asWritten, "response": response?.asWritten,
            "pool_idle": poolIdle?.asWritten,
            "total": total?.asWritten,
        ])
    }
}

extension Retry {
    var words: String {
        given(["retries": "\(retries)", "delay": delay.asWritten, "max_delay": maxDelay.asWritten, "jitter": decimal(jitter)])
    }
}

extension RetryOverrides {
    var words: String {
        given([
            "retries": retries.map { "\($0)" }, "delay": delay?.asWritten, "max_delay": maxDelay?.asWritten, "jitter": jitter.map(decimal),
        ])
    }
}

extension BreakerSettings {
    var words: String {
        given([
            "failures": "\(failures)", "cooldown": cooldown.asWritten, "max_cooldown": maxCooldown.asWritten, "successes": "\(successes)",
            "jitter": decimal(jitter),
        ])
    }
}

extension Limits {
    var words: String {
        given([
            "requests_per_minute": requestsPerMinute.map { "\($0)" }, "tokens_per_minute": tokensPerMinute.map { "\($0)" },
            "concurrent": concurrent.map { "\($0)" },
        ])
    }
}

extension Failover {
    var words: String {
        let byStatus = statuses.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.rawValue)" }
        let byClass = FailureClass.allCases.compactMap { failure in classes[failure].map { "\(failure.rawValue) \($0.rawValue)" } }
        return (byStatus + byClass).joined(separator: ", ")
    }
}

extension Price {
    var words: String {
        given([
            "input": decimal(input), "output": decimal(output), "cached_input": cachedInput.map(decimal),
            "reasoning": reasoning.map(decimal),
        ])
    }
}

extension Hedge {
    var words: String {
        let after =
            switch delay {
            case .after(let time): time.asWritten
            case .p95: "p95"
            }
        return given(["after": after, "max_cost": maxCost.map(decimal)])
    }
}

extension Selection {
    /// The conditions, not the models: what those change is told of the models.
    func words(providers: [String]) -> String {
        let conditions = given([
            "tags": selector.tags?.texts.joined(separator: ", "), "type": selector.type,
            "provider": selector.providers.map { $0.sorted().map { providers[$0] }.joined(separator: ", ") },
            "supports": selector.supports.isEmpty ? nil : selector.supports.map(\.rawValue).sorted().joined(separator: ", "),
            "min_context": selector.minContext.map { "\($0)" }, "min_output": selector.minOutput.map { "\($0)" },
            "max_price": selector.maxPrice.map { price in
                given(["input": price.input.map(decimal), "output": price.output.map(decimal)])
            },
            "min_success_rate": selector.minSuccessRate.map(decimal), "models": selector.models?.joined(separator: ", "),
        ])
        return "select(\(conditions.isEmpty ? "all" : conditions))" + (order == .listed ? "" : " \(order.rawValue)")
    }
}

extension RoutingOverrides {
    var words: String {
        given([
            "tags": tags?.texts.joined(separator: ", "), "type": type, "min_context_size": minContext.map { "\($0)" },
            "min_max_output_tokens": minOutput.map { "\($0)" },
            "supports": supports.isEmpty ? nil : supports.map(\.rawValue).sorted().joined(separator: ", "),
            "prefer_fast": prefersFast.map { "\($0)" }, "min_success_rate": minSuccessRate.map(decimal),
            "selection_mode": selectionMode?.rawValue,
            "max_model_switches": maxModelSwitches.map { "\($0)" }, "max_same_model_retries": retries.map { "\($0)" },
            "retry_delay": retryDelay?.asWritten, "timeout_secs": timeout.map { decimal($0 / .seconds(1)) },
            "fallback_provider": fallbackProvider,
            "fallback_model": fallbackModel,
        ])
    }
}

extension RoutingExpectation {
    var expectation: String {
        given([
            "chosen": chosen.isEmpty ? nil : chosen.joined(separator: " or "), "order": order?.joined(separator: ", "),
            "never": never.isEmpty ? nil : never.joined(separator: ", "), "refused": refused.map { "\($0)" },
        ])
    }
}
