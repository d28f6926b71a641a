package import Codecs
import RoutingPolicy

/// The explanation as JSON, for programs. Durations are in milliseconds.
extension Explanation {
    /// Bounds the list of models that are left out, because a policy may contain very many.
    private static let maxLeftOut = 1000

    package func write(to writer: inout JSONWriter) {
        writer.object {
            $0.key("request")
            $0.object(request.write)
            $0.member("config", config)
            switch outcome {
            case .planned(let call): call.write(to: &$0, chosen: chosen)
            case .refused(let refusal):
                $0.key("refused")
                $0.object { error in
                    error.member("status", refusal.status)
                    error.member("code", refusal.code)
                    error.member("message", refusal.message)
                }
            }
            $0.key("left_out")
            $0.array { list in
                for omitted in leftOut.prefix(Self.maxLeftOut) {
                    list.object {
                        omitted.model.write(to: &$0)
                        $0.member("rule", omitted.rule)
                    }
                }
            }
            if leftOut.count > Self.maxLeftOut { $0.member("left_out_more", leftOut.count - Self.maxLeftOut) }
        }
    }

    /// One JSON object.
    package var json: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }
}

extension Explanation.Request {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("operation", operation.rawValue)
        writer.key("models")
        writer.array { for model in models { $0.string(model) } }
        writer.key("needs")
        writer.array { for capability in needs.supports.map(\.rawValue).sorted() { $0.string(capability) } }
        if needs.needsAnyMedium { writer.member("needs_any_medium", true) }
        writer.member("prompt_tokens", needs.promptTokens)
        if let maxTokens = needs.maxTokens { writer.member("max_tokens", maxTokens) }
        writer.key("fields")
        writer.array { for field in overrides.explained { $0.string(field) } }
        switch key {
        case .named(let name): writer.member("key", name)
        case .notGiven, .noneDefined: writer.member("key", String?.none)
        }
        if keyState != .ready {
            writer.member("key_state", keyState.label)
            if let remaining = keyState.remaining { writer.member("key_state_ends_in_ms", remaining) }
        }
    }
}

extension Explanation.PlannedCall {
    fileprivate func write(to writer: inout JSONWriter, chosen: Explanation.Attempt?) {
        writer.member("route", route)
        if !replacements.isEmpty {
            writer.key("when")
            writer.array { list in
                for replacement in replacements {
                    list.object {
                        $0.member("route", replacement.route)
                        $0.member("condition", replacement.condition)
                        $0.member("use", replacement.use)
                    }
                }
            }
        }
        if let sticky {
            writer.key("sticky")
            writer.object {
                $0.member("by", sticky.identity)
                $0.key("model")
                if let model = sticky.model { $0.object(model.write) } else { $0.null() }
                $0.member("goes_first", sticky.isPinned)
            }
        }
        writer.key("chosen")
        if let chosen { writer.object(chosen.model.write) } else { writer.null() }
        writer.key("attempts")
        writer.array { for attempt in attempts { $0.object(attempt.write) } }
        writer.key("then")
        writer.object {
            $0.member("status", status)
            $0.member("reason", ending.label)
        }
        writer.key("fallback_on")
        writer.array { for attempt in chains { $0.object(attempt.write) } }
        writer.key("bounds")
        writer.object {
            $0.member("max_models", maxModels)
            $0.member("max_attempts", maxAttempts)
            $0.member("total_ms", total)
            if let attemptTimeout { $0.member("attempt_ms", attemptTimeout) }
        }
        if !skippedNames.isEmpty {
            writer.key("skipped")
            writer.array { for name in skippedNames { $0.string(name) } }
        }
        if let hedge {
            writer.key("hedge")
            writer.object {
                switch hedge.delay {
                case .after(let delay): $0.member("after_ms", delay)
                case .p95: $0.member("after", "p95")
                }
                if let cost = hedge.maxCost { $0.member("max_cost_usd", cost) }
            }
        }
        writer.member("resume", resumes)
        if let seed { writer.member("seed", Int(clamping: seed)) }
    }
}

extension Explanation.Model {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("provider", provider)
        writer.member("model_name", name)
    }
}

extension Explanation.Attempt {
    fileprivate func write(to writer: inout JSONWriter) {
        model.write(to: &writer)
        writer.member("from", part.label)
        if case .try(let route) = part { writer.member("route", route) }
        writer.member("why", why)
        writer.member("order", reason.order.rawValue)
        if let score = reason.score { writer.member("score", score) }
        if let share = reason.share { writer.member("share", share) }
        writer.member("state", state.label)
        if let remaining = state.remaining { writer.member("state_ends_in_ms", remaining) }
        if let keys {
            writer.member("keys", keys.count)
            writer.key("cooling_keys")
            writer.array { list in
                for key in keys.cooling {
                    list.object {
                        $0.member("key", key.position)
                        $0.member("reason", key.reason.rawValue)
                        $0.member("ends_in_ms", key.remaining)
                    }
                }
            }
        }
        writer.member("is_retry", isRetry)
        writer.member("wait_ms", wait)
        writer.key("timeouts_ms")
        writer.object {
            $0.member("queue", timeouts.queue)
            $0.member("connect", timeouts.connect)
            $0.member("write", timeouts.write)
            $0.member("first_byte", timeouts.firstByte)
            $0.member("first_content", timeouts.firstContent)
            $0.member("idle", timeouts.idle)
            $0.member("response", timeouts.response)
        }
        writer.key("retry")
        writer.object {
            $0.member("retries", retry.retries)
            $0.member("delay_ms", retry.delay)
            $0.member("max_delay_ms", retry.maxDelay)
            $0.member("jitter", retry.jitter)
        }
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ name: StaticString, _ duration: Duration) {
        key(name)
        integer(Int(duration.milliseconds.rounded()))
    }

    /// Rounded to five decimal places.
    fileprivate mutating func member(_ name: StaticString, _ value: Double) {
        key(name)
        double((value * 100_000).rounded() / 100_000)
    }
}
