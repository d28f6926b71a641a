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
        if let description = entry.listed?.description { writer.member("description", description) }
        writer.key("architecture")
        writer.object {
            $0.key("input_modalities")
            $0.array { writer in for modality in entry.inputModalities { writer.string(modality) } }
            $0.key("output_modalities")
            $0.array { writer in for modality in entry.listed?.outputModalities ?? ["text"] { writer.string(modality) } }
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
        if let price = entry.price { write(price, to: &writer) }
    }

    /// OpenRouter's format is dollars per token, as a string.
    private static func write(_ price: Price, to writer: inout JSONWriter) {
        writer.key("pricing")
        writer.object {
            $0.member("prompt", perToken(price.input))
            $0.member("completion", perToken(price.output))
            if let price = price.cachedInput { $0.member("input_cache_read", perToken(price)) }
            if let price = price.cacheWrite { $0.member("input_cache_write", perToken(price)) }
            if let price = price.longCacheWrite { $0.member("input_cache_write_1h", perToken(price)) }
            if let price = price.reasoning { $0.member("internal_reasoning", perToken(price)) }
            if let price = price.audioInput { $0.member("audio", perToken(price)) }
            if let price = price.audioOutput { $0.member("audio_output", perToken(price)) }
            // Dollars per request. The unit of `image_output` is not clear, so the price of an image is left out.
            if let price = price.perRequest { $0.member("request", perToken(price * 1e6)) }
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

extension ModelEntry {
    fileprivate var inputModalities: [String] {
        listed?.inputModalities ?? ["text"] + [Capability.image, .audio, .video, .file].filter(supports.contains).map(\.rawValue)
    }
}
