import Codecs
import ProviderKit

/// `GET /health`, `/livez` and `/readyz`.
enum HealthEndpoint {
    static func health(_ exchange: Exchange) {
        respond(exchange, status: 200)
    }

    /// Responds with 503 from the start of a shutdown on, so that load balancers stop sending requests.
    static func readiness(_ exchange: Exchange) {
        respond(exchange, status: exchange.gateway.isReady ? 200 : 503)
    }

    private static func respond(_ exchange: Exchange, status: Int) {
        let policy = exchange.gateway.engine.status.value
        var writer = JSONWriter()
        writer.object {
            $0.member("status", exchange.gateway.isReady ? "ok" : "draining")
            if let store = exchange.gateway.engine.shared?.status { $0.member("state", store.isUp ? "up" : "down") }
            $0.key("config")
            $0.object { config in
                config.member("digest", policy.digest)
                config.member("loaded_at", policy.loadedAt)
                for (name, texts) in [("plugins", policy.plugins), ("plugin_changes", policy.pluginChanges)] where !texts.isEmpty {
                    config.key(escaping: name)
                    config.array { array in for text in texts { array.string(text) } }
                }
                if let errors = policy.lastErrors {
                    // Everyone may call this endpoint, and the errors quote the policy file. The log and the response
                    // of /admin/reload contain them.
                    config.member("last_reload", "failed")
                    config.member("errors", errors.count)
                } else {
                    config.member("last_reload", "ok")
                }
            }
        }
        exchange.respond(status, writer.bytes)
    }
}
