import Codecs
import Engine
import HTTPWire
import ProviderKit
import RoutingPolicy

/// `GET /models` and `GET /models/{id}`: what the client may use, in the spellings that clients look for.
enum ModelsEndpoint {
    static func list(_ exchange: Exchange) {
        // Each key has its own list.
        let etag = "\"\(exchange.snapshot.policy.digest)\(exchange.keyName.map { "-\($0)" } ?? "")\""
        if exchange.server.head.fields.value("if-none-match") == etag {
            return exchange.respond(304, [], fields: { $0.add("etag", etag) })
        }
        let filter = ModelFilter(query: exchange.server.head.query ?? "")
        let entries = entries(exchange.snapshot, exchange.scope).filter(filter.keeps)
        var list = JSONWriter()
        list.array { for entry in entries { entry.write(to: &$0, created: exchange.snapshot.loadedAt) } }
        var writer = JSONWriter()
        writer.object {
            $0.member("object", "list")
            $0.key("data")
            $0.raw(list.bytes)
            // The same entries under the name that the router's first clients read.
            $0.key("models")
            $0.raw(list.bytes)
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
        // `provider/model` means a model under another name; hidden ones are no secret to who may call them.
        let named = exchange.snapshot.models(named: id).first { scope?.models.contains($0) != false }
        guard let entry = listed ?? named.map({ ModelEntry(model: $0, exchange.snapshot) }) else {
            return exchange.respond(
                APIError(
                    404, "the model '\(id.excerpt)' does not exist; GET /models lists those that do", code: "model_not_found",
                    param: "model"))
        }
        var writer = JSONWriter()
        entry.write(to: &writer, created: exchange.snapshot.loadedAt)
        exchange.respond(200, writer.bytes)
    }

    private static func entries(_ snapshot: Snapshot, _ scope: ModelScope?) -> [ModelEntry] {
        let policy = snapshot.policy
        let models = policy.models.indices.filter { !policy.models[$0].isHidden && scope?.models.contains($0) != false }
        // A route that is not granted itself is of use where it reaches a model that is.
        let routes = policy.routes.indices.filter { route in
            guard let scope else { return true }
            return scope.routes.contains(route) || snapshot.chains[route].all.contains(where: scope.models.contains)
        }
        return routes.map { ModelEntry(route: $0, snapshot) } + models.map { ModelEntry(model: $0, snapshot) }
    }
}

/// A model or a route in the list.
struct ModelEntry {
    var id: String
    /// nil for a route.
    var provider: String?
    var upstream: String?
    var type: String?
    var tags: [String]
    var supports: CapabilitySet
    var context: Int?
    var maxOutput: Int?
    var price: Price?
    var isAvailable: Bool

    init(model index: Int, _ snapshot: Snapshot) {
        let model = snapshot.policy.models[index]
        id = model.key
        provider = snapshot.policy.providers[model.provider].name
        upstream = model.upstream
        type = model.type
        tags = model.tags
        supports = model.supports
        context = model.context
        maxOutput = model.maxOutput
        price = model.price
        isAvailable = snapshot.instance(ofModel: index) != nil
    }

    /// A route can what one of its models can.
    init(route index: Int, _ snapshot: Snapshot) {
        let chains = snapshot.chains[index]
        let models = chains.all.map { snapshot.policy.models[$0] }
        id = snapshot.policy.routes[index].name
        tags = Set(models.flatMap(\.tags)).sorted()
        supports = models.reduce(into: []) { $0.formUnion($1.supports) }
        context = models.compactMap(\.context).max()
        maxOutput = models.compactMap(\.maxOutput).max()
        isAvailable = chains.all.contains { snapshot.instance(ofModel: $0) != nil }
    }

    func write(to writer: inout JSONWriter, created: Int) {
        writer.object {
            $0.member("id", id)
            $0.member("object", "model")
            $0.member("created", created)
            $0.member("owned_by", provider ?? "router")
            $0.member("name", id)
            if let provider { $0.member("provider", provider) }
            if let upstream { $0.member("model", upstream) }
            if let type { $0.member("type", type) }
            $0.key("tags")
            $0.array { for tag in tags { $0.string(tag) } }
            if let context {
                $0.member("contextSize", context)
                $0.member("context_length", context)
            }
            if let maxOutput { $0.member("maxOutputTokens", maxOutput) }
            $0.member("available", isAvailable)
            $0.member("supportsVision", supports.contains(.image))
            $0.member("supportsImage", supports.contains(.image))
            $0.member("supportsVideo", supports.contains(.video))
            $0.member("supportsAudio", supports.contains(.audio))
            $0.member("supportsFile", supports.contains(.file))
            $0.member("supportsTools", supports.contains(.tools))
            $0.member("jsonResponse", supports.contains(.json))
            writeSpellings(to: &$0)
        }
    }

    /// The same facts as OpenRouter, LiteLLM and llama-swap spell them.
    private func writeSpellings(to writer: inout JSONWriter) {
        writer.key("architecture")
        writer.object {
            $0.key("input_modalities")
            $0.array { writer in
                writer.string("text")
                for kind in [Capability.image, .audio, .video, .file] where supports.contains(kind) { writer.string(kind.rawValue) }
            }
            $0.key("output_modalities")
            $0.array { $0.string("text") }
        }
        writer.key("supported_parameters")
        writer.array {
            if supports.contains(.tools) { $0.string("tools") }
            if supports.contains(.json) { $0.string("response_format") }
            if supports.contains(.reasoning) { $0.string("reasoning") }
        }
        writer.key("capabilities")
        writer.object {
            $0.member("vision", supports.contains(.image))
            $0.member("function_calling", supports.contains(.tools))
        }
        guard let price else { return }
        // Dollars for one token, as text, as OpenRouter has it.
        writer.key("pricing")
        writer.object {
            $0.member("prompt", Self.perToken(price.input))
            $0.member("completion", Self.perToken(price.output))
        }
    }

    /// Dollars for a million tokens as dollars for one, exact to 1e-12: 2.19 gives `0.00000219`.
    static func perToken(_ price: Double) -> String {
        guard price < 1e6 else { return "\(price / 1e6)" }
        let (whole, rest) = Int((price * 1e6).rounded()).quotientAndRemainder(dividingBy: 1_000_000_000_000)
        var fraction = String(1_000_000_000_000 + rest).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return fraction.isEmpty ? "\(whole)" : "\(whole).\(fraction)"
    }
}

/// `?tags=`, `?supports=`, `?type=` of the list.
struct ModelFilter {
    private var tags: [String] = []
    private var supports: [String] = []
    private var type: String?

    init(query: String) {
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let value = String(percentEncoded: parts[1].utf8), !value.isEmpty else { continue }
            switch parts[0] {
            case "tags": tags += value.split(separator: ",").map { String($0.trimmingBlanks()) }
            case "supports": supports += value.split(separator: ",").map { String($0.trimmingBlanks()) }
            case "type": type = value
            default: continue
            }
        }
    }

    func keeps(_ entry: ModelEntry) -> Bool {
        tags.allSatisfy(entry.tags.contains) && supports.allSatisfy { name in entry.supports.contains { $0.rawValue == name } }
            && (type == nil || entry.type == type)
    }
}
