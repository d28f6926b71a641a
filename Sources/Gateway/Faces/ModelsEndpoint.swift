import Codecs
import Crypto
import Engine
import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// `GET /models` and `GET /models/{id}`: the models and routes that the client may use, in the form of its face.
enum ModelsEndpoint {
    static func list(_ exchange: Exchange) {
        var writer = JSONWriter()
        do throws(APIError) {
            let head = exchange.server.head
            try exchange.face.writeModels(
                ModelList(
                    entries: entries(exchange, now: .now()), path: head.path, query: head.query ?? "", created: exchange.snapshot.loadedAt,
                    hasCodexCatalog: exchange.snapshot.policy.server.hasCodexCatalog),
                &writer)
        } catch {
            return exchange.respond(error)
        }
        let list = writer.bytes
        // The list depends on the key and on which models can be used now.
        let etag = "\"\(Hex.encoded(SHA256.hash(data: list).prefix(8)))\""
        func addFields(_ head: inout ResponseHead) {
            head.add("etag", etag)
            head.add("cache-control", "private, no-cache")
            head.add("vary", "anthropic-version, x-goog-api-key")
        }
        if isKnown(etag, by: exchange.server.head.fields) { return exchange.respond(304, [], fields: addFields) }
        exchange.respond(200, list, fields: addFields)
    }

    /// Whether the client has this version of the list. Source: RFC 9110 section 13.1.2.
    private static func isKnown(_ etag: String, by fields: HTTPFields) -> Bool {
        guard let known = fields.value("if-none-match") else { return false }
        return known.split(separator: ",").map { $0.trimmingBlanks() }.contains { $0 == "*" || $0 == etag || $0 == "W/\(etag)" }
    }

    static func one(_ exchange: Exchange) {
        let id = exchange.face.members.bareNames([exchange.pathParameter ?? ""])[0]
        guard let (entry, snapshot) = entry(named: id, exchange) else { return exchange.respond(APIError.unknownModel(id)) }
        // What the provider says would give it away.
        guard let model = entry.model, !exchange.hidesNames else { return respond(entry, exchange) }
        let bound = NIOLoopBound((exchange, entry), eventLoop: exchange.server.eventLoop)
        exchange.loop.listing(ofModel: model, in: snapshot).whenSuccess { listed in
            var (exchange, entry) = bound.value
            if let listed { entry.add(listed) }
            respond(entry, exchange)
        }
    }

    private static func respond(_ entry: ModelEntry, _ exchange: Exchange) {
        var writer = JSONWriter()
        exchange.face.writeModel(entry, exchange.snapshot.loadedAt, &writer)
        exchange.respond(200, writer.bytes)
    }

    /// A model or a route, and the snapshot that has it. nil if there is none, or the client may not use it.
    static func entry(named id: String, _ exchange: Exchange) -> (ModelEntry, Snapshot)? {
        let now = NIODeadline.now(), scope = exchange.scope
        let snapshot = exchange.snapshot.including(unlistedOf: PlanRequest(models: [id], scope: scope))
        if let listed = entries(exchange, now: now).first(where: { $0.id == id }) { return (listed, snapshot) }
        // A model is also found as `provider/model` or through a wildcard, and a hidden model is shown to clients that
        // may call it.
        let unlisted = snapshot.models(named: id).first { snapshot.isUnlisted($0) || scope?.models.contains($0) != false }
        return unlisted.map { (ModelEntry(model: $0, snapshot, hidesNames: exchange.hidesNames, now: now), snapshot) }
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

/// A request for the list of models.
struct ModelList {
    /// All that the client may see.
    var entries: [ModelEntry]
    var path: String
    var query: String
    /// The time that the entries have, in seconds since 1970.
    var created: Int
    /// Whether Codex gets a catalog of the models.
    var hasCodexCatalog: Bool
}
