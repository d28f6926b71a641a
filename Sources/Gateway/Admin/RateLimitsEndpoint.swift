import Codecs
import Engine
import NIOCore
import ProviderKit

/// `GET /admin/rate-limits`: what is left of the limits of models, providers and keys, and how many keys of providers
/// with several cool down.
enum RateLimitsEndpoint {
    static func serve(_ exchange: Exchange) {
        let snapshot = exchange.snapshot, keyViews = exchange.gateway.engine.keyViews
        exchange.respond { writer in
            let now = NIODeadline.now()
            writer.key("limits")
            writer.array { list in
                func write(_ kind: String, provider: String? = nil, _ name: String, _ limiter: Limiter?) {
                    guard let limiter else { return }
                    list.object {
                        $0.member("kind", kind)
                        if let provider { $0.member("provider", provider) }
                        $0.member("name", name)
                        limiter.view(now: now).write(to: &$0)
                    }
                }
                for state in snapshot.states.models { write("model", provider: state.key.provider, state.key.name, state.limits.own) }
                for provider in snapshot.policy.providers {
                    write("provider", provider.name, snapshot.states.providerLimiters[provider.name])
                }
                for key in snapshot.policy.keys { write("key", key.name, snapshot.states.keyLimiters[key.name]) }
            }
            writer.key("provider_keys")
            writer.array { list in
                for provider in keyViews {
                    list.object {
                        $0.member("provider", provider.provider)
                        for (state, count) in provider.keys {
                            $0.key(escaping: state)
                            $0.integer(count)
                        }
                    }
                }
            }
        }
    }
}
