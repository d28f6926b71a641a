import Codecs
import Crypto
import Engine
import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// `GET /models` and `GET /models/{id}`: the models and routes that the client may use.
enum ModelsEndpoint {
    static func list(_ exchange: Exchange) {
        let filter = ModelFilter(query: exchange.server.head.query ?? "")
        let entries = entries(exchange, now: .now()).filter(filter.matches)
        var list = JSONWriter()
        list.array { for entry in entries { entry.write(to: &$0, created: exchange.snapshot.loadedAt) } }
        // The list depends on the key and on which models can be used now.
        let etag = "\"\(Hex.encoded(SHA256.hash(data: list.bytes).prefix(8)))\""
        func addFields(_ head: inout ResponseHead) {
            head.add("etag", etag)
            head.add("cache-control", "private, no-cache")
        }
        if isKnown(etag, by: exchange.server.head.fields) { return exchange.respond(304, [], fields: addFields) }
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
        exchange.respond(200, writer.bytes, fields: addFields)
    }

    /// Whether the client has this version of the list. Source: RFC 9110 section 13.1.2.
    private static func isKnown(_ etag: String, by fields: HTTPFields) -> Bool {
        guard let known = fields.value("if-none-match") else { return false }
        return known.split(separator: ",").map { $0.trimmingBlanks() }.contains { $0 == "*" || $0 == etag || $0 == "W/\(etag)" }
    }

    static func one(_ exchange: Exchange) {
        let id = exchange.pathParameter ?? "", now = NIODeadline.now()
        let scope = exchange.scope
        let listed = entries(exchange, now: now).first { $0.id == id }
        // A model is also found as `provider/model`, and a hidden model is shown to clients that may call it.
        let unlisted = exchange.snapshot.models(named: id).first { scope?.models.contains($0) != false }
        guard let entry = listed ?? unlisted.map({ ModelEntry(model: $0, exchange.snapshot, hidesNames: exchange.hidesNames, now: now) })
        else { return exchange.respond(APIError.unknownModel(id)) }
        var writer = JSONWriter()
        entry.write(to: &writer, created: exchange.snapshot.loadedAt)
        exchange.respond(200, writer.bytes)
    }

    private static func entries(_ exchange: Exchange, now: NIODeadline) -> [ModelEntry] {
        let (snapshot, scope) = (exchange.snapshot, exchange.scope)
        let policy = snapshot.policy
        let models = policy.models.indices.filter { !policy.models[$0].isHidden && scope?.models.contains($0) != false }
        // A route outside the scope is listed if it leads to a model within the scope.
        let routes = policy.routes.indices.compactMap { route -> ModelEntry? in
            guard let scope, !scope.routes.contains(route) else { return ModelEntry(route: route, snapshot, scope: nil, now: now) }
            guard snapshot.chains[route].all.contains(where: scope.models.contains) else { return nil }
            return ModelEntry(route: route, snapshot, scope: scope.models, now: now)
        }
        return models.map { ModelEntry(model: $0, snapshot, hidesNames: exchange.hidesNames, now: now) } + routes
    }
}
