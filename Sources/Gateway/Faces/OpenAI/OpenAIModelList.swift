import Codecs
import ProviderKit
import RoutingPolicy

/// The model list in OpenAI's form, with more about each model than OpenAI has.
enum OpenAIModelList {
    static func write(_ list: ModelList, to writer: inout JSONWriter) {
        let filter = ModelFilter(query: list.query)
        var entries = JSONWriter()
        entries.array { for entry in list.entries where filter.matches(entry) { write(entry, created: list.created, to: &$0) } }
        let data = entries.bytes
        writer.object {
            $0.member("object", "list")
            $0.key("data")
            $0.raw(data)
            // Some clients read the list under this name, but Codex takes `models` below /v1 for its own catalog and
            // fails.
            if !list.path.hasPrefix("/v1/") {
                $0.key("models")
                $0.raw(data)
            }
        }
    }

    static func write(_ entry: ModelEntry, created: Int, to writer: inout JSONWriter) {
        writer.object {
            $0.member("id", entry.id)
            $0.member("object", "model")
            $0.member("created", created)
            $0.member("owned_by", entry.provider)
            $0.member("name", entry.name)
            $0.member("provider", entry.provider)
            $0.member("model", entry.upstream)
            $0.member("type", entry.type)
            $0.key("serves")
            $0.array { for operation in entry.serves { $0.string(operation.rawValue) } }
            $0.key("weight")
            $0.double(entry.weight)
            $0.key("tags")
            $0.array { for tag in entry.tags { $0.string(tag) } }
            for key: StaticString in ["contextSize", "context_length"] {
                $0.key(key)
                if let context = entry.context { $0.integer(context) } else { $0.null() }
            }
            $0.key("maxOutputTokens")
            if let maxOutput = entry.maxOutput { $0.integer(maxOutput) } else { $0.null() }
            $0.member("available", entry.isAvailable)
            $0.member("supportsVision", entry.supports.contains(.image))
            $0.member("supportsImage", entry.supports.contains(.image))
            $0.member("supportsVideo", entry.supports.contains(.video))
            $0.member("supportsAudio", entry.supports.contains(.audio))
            $0.member("supportsFile", entry.supports.contains(.file))
            $0.member("supportsTools", entry.supports.contains(.tools))
            $0.member("jsonResponse", entry.supports.contains(.json))
            writeSpellings(of: entry, to: &$0)
        }
    }

    /// Repeats properties in the formats of OpenRouter, LiteLLM and llama-swap.
    private static func writeSpellings(of entry: ModelEntry, to writer: inout JSONWriter) {
        writer.key("architecture")
        writer.object {
            $0.key("input_modalities")
            $0.array { writer in
                writer.string("text")
                for kind in [Capability.image, .audio, .video, .file] where entry.supports.contains(kind) { writer.string(kind.rawValue) }
            }
            $0.key("output_modalities")
            $0.array { $0.string("text") }
        }
        writer.key("supported_parameters")
        writer.array {
            if entry.supports.contains(.tools) { $0.string("tools") }
            if entry.supports.contains(.json) { $0.string("response_format") }
            if entry.supports.contains(.reasoning) { $0.string("reasoning") }
        }
        writer.key("capabilities")
        writer.object {
            $0.member("vision", entry.supports.contains(.image))
            $0.member("function_calling", entry.supports.contains(.tools))
        }
        guard let price = entry.price else { return }
        // OpenRouter's format is dollars per token, as a string.
        writer.key("pricing")
        writer.object {
            $0.member("prompt", perToken(price.input))
            $0.member("completion", perToken(price.output))
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
