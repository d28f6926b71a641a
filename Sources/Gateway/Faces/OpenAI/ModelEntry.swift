import Codecs
import Engine
import NIOCore
import ProviderKit
import RoutingPolicy

/// A model or a route in the list of `GET /models`.
struct ModelEntry {
    var id: String
    var name: String
    /// `router` for a route, and for every entry of a client that must not learn the providers.
    var provider: String
    /// The provider's own name of the model. For the same entries, `name`.
    var upstream: String
    var type: String?
    var weight: Double
    var tags: [String]
    var supports: CapabilitySet
    var serves: OperationSet
    var context: Int?
    var maxOutput: Int?
    var price: Price?
    var isAvailable: Bool

    init(model index: Int, _ snapshot: Snapshot, hidesNames: Bool, now: NIODeadline) {
        let model = snapshot.policy.models[index]
        id = model.key
        name = model.key
        provider = hidesNames ? Self.ownProvider : snapshot.policy.providers[model.provider].name
        upstream = hidesNames ? model.key : model.upstream
        type = model.type
        weight = model.weight
        tags = model.tags
        supports = model.supports
        serves = model.serves
        context = model.context
        maxOutput = model.maxOutput
        price = model.price
        isAvailable = snapshot.isUsable(model: index, now: now)
    }

    /// A route has the tags, capabilities and operations of those of its models that can be used now, and the largest
    /// of their limits.
    ///
    /// - Parameter scope: the models that the client may use on this route; nil: all.
    init(route index: Int, _ snapshot: Snapshot, scope: Set<Int>?, now: NIODeadline) {
        let usable = snapshot.chains[index].all.filter { scope?.contains($0) != false && snapshot.isUsable(model: $0, now: now) }
        let models = usable.map { snapshot.policy.models[$0] }
        id = snapshot.policy.routes[index].name
        name = id
        provider = Self.ownProvider
        upstream = id
        weight = ModelDefinition().weight
        tags = Set(models.flatMap(\.tags)).sorted()
        supports = models.reduce([]) { $0.union($1.supports) }
        serves = models.reduce([]) { $0.union($1.serves) }
        context = models.compactMap(\.context).max()
        maxOutput = models.compactMap(\.maxOutput).max()
        isAvailable = !models.isEmpty
    }

    private static let ownProvider = "router"

    func write(to writer: inout JSONWriter, created: Int) {
        writer.object {
            $0.member("id", id)
            $0.member("object", "model")
            $0.member("created", created)
            $0.member("owned_by", provider)
            $0.member("name", name)
            $0.member("provider", provider)
            $0.member("model", upstream)
            $0.member("type", type)
            $0.key("serves")
            $0.array { for operation in serves { $0.string(operation.rawValue) } }
            $0.key("weight")
            $0.double(weight)
            $0.key("tags")
            $0.array { for tag in tags { $0.string(tag) } }
            for key: StaticString in ["contextSize", "context_length"] {
                $0.key(key)
                if let context { $0.integer(context) } else { $0.null() }
            }
            $0.key("maxOutputTokens")
            if let maxOutput { $0.integer(maxOutput) } else { $0.null() }
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

    /// Repeats properties in the formats of OpenRouter, LiteLLM and llama-swap.
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
        // OpenRouter's format is dollars per token, as a string.
        writer.key("pricing")
        writer.object {
            $0.member("prompt", Self.perToken(price.input))
            $0.member("completion", Self.perToken(price.output))
        }
    }

    /// Converts dollars per million tokens to dollars per token, exact to 1e-12: 2.19 gives `0.00000219`.
    static func perToken(_ price: Double) -> String {
        guard price < 1e6 else { return "\(price / 1e6)" }
        let (whole, rest) = Int((price * 1e6).rounded()).quotientAndRemainder(dividingBy: 1_000_000_000_000)
        var fraction = String(1_000_000_000_000 + rest).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return fraction.isEmpty ? "\(whole)" : "\(whole).\(fraction)"
    }
}

extension Snapshot {
    /// Whether a request for the model would be sent now, or after waiting for a slot.
    fileprivate func isUsable(model index: Int, now: NIODeadline) -> Bool {
        guard instance(ofModel: index) != nil else { return false }
        let availability = state(ofModel: index).availability(now: now)
        return availability.isAvailable || availability == .full
    }
}
