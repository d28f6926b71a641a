import Codecs
import Engine
import HTTPWire
import ProviderKit
import RoutingPolicy

/// `GET /models` and `GET /models/{id}`: the models and routes that the client may use.
enum ModelsEndpoint {
    static func list(_ exchange: Exchange) {
        // Each key has its own list.
        let etag = "\"\(exchange.snapshot.policy.digest)\(exchange.keyName.map { "-\($0)" } ?? "")\""
        if exchange.server.head.fields.value("if-none-match") == etag {
            return exchange.respond(304, [], fields: { $0.add("etag", etag) })
        }
        let filter = ModelFilter(query: exchange.server.head.query ?? "")
        let entries = entries(exchange.snapshot, exchange.scope).filter(filter.matches)
        var list = JSONWriter()
        list.array { for entry in entries { entry.write(to: &$0, created: exchange.snapshot.loadedAt) } }
        var writer = JSONWriter()
        writer.object {
            $0.member("object", "list")
            $0.key("data")
            $0.raw(list.bytes)
            // Some clients read the list under this name, but Codex takes `models` below /v1 for its own catalog and
            // fails.
            if !exchange.server.head.path.hasPrefix("/v1/") {
                $0.key("models")
                $0.raw(list.bytes)
            }
        }
        exchange.respond(
            200, writer.bytes,
            fields: {
                $0.add("etag", etag)
                $0.add("cache-control", "private, no-cache")
            })
    }

    static func one(_ exchange: Exchange) {
        let id = exchange.pathParameter ?? ""
        let scope = exchange.scope
        let listed = entries(exchange.snapshot, scope).first { $0.id == id }
        // A model is also found as `provider/model`, and a hidden model is shown to clients that may call it.
        let unlisted = exchange.snapshot.models(named: id).first { scope?.models.contains($0) != false }
        guard let entry = listed ?? unlisted.map({ ModelEntry(model: $0, exchange.snapshot) }) else {
            return exchange.respond(APIError.unknownModel(id))
        }
        var writer = JSONWriter()
        entry.write(to: &writer, created: exchange.snapshot.loadedAt)
        exchange.respond(200, writer.bytes)
    }

    private static func entries(_ snapshot: Snapshot, _ scope: ModelScope?) -> [ModelEntry] {
        let policy = snapshot.policy
        let models = policy.models.indices.filter { !policy.models[$0].isHidden && scope?.models.contains($0) != false }
        // A route outside the scope is listed if it leads to a model within the scope.
        let routes = policy.routes.indices.filter { route in
            guard let scope else { return true }
            return scope.routes.contains(route) || snapshot.chains[route].all.contains(where: scope.models.contains)
        }
        return models.map { ModelEntry(model: $0, snapshot) } + routes.map { ModelEntry(route: $0, snapshot) }
    }
}
