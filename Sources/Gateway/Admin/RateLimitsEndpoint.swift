import Codecs
import Engine
import ProviderKit

/// `GET /admin/rate-limits`: what is left of the limits of models, providers and keys, and how many keys of providers
/// with several cool down.
enum RateLimitsEndpoint {
    static func serve(_ exchange: Exchange) {
        let limiters = exchange.snapshot.limiterViews, keyViews = exchange.gateway.engine.keyViews
        exchange.respond { writer in
            writer.key("limits")
            writer.array { list in
                for limiter in limiters {
                    list.object {
                        $0.member("scope", limiter.scope.rawValue)
                        if let provider = limiter.provider { $0.member("provider", provider) }
                        $0.member("name", limiter.name)
                        limiter.view.write(to: &$0)
                    }
                }
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
