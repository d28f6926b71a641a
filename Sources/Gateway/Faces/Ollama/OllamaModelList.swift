import Codecs
import Crypto
import ProviderKit
import RoutingPolicy

/// The model list, and one model, in Ollama's form. Sources: ollama/ollama, docs/api.md, "List Local Models" and "Show
/// Model Information"; microsoft/vscode-copilot-chat, ollamaProvider.ts, which loses all models if one of them lacks an
/// array.
enum OllamaModelList {
    /// What Ollama calls the architecture and the family of a model.
    private static let family = "llm-router"

    static func write(_ list: ModelList, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("models")
            writer.array { writer in
                // A model that only listens or draws can do nothing for these clients.
                for entry in list.entries where !capabilities(of: entry).isEmpty {
                    writer.object {
                        $0.member("name", entry.id)
                        $0.member("model", entry.id)
                        $0.member("modified_at", WireDate.rfc3339(list.created))
                        $0.member("size", 0)
                        $0.member("digest", Hex.encoded(SHA256.hash(data: Array(entry.id.utf8))))
                        writeCommon(entry, to: &$0)
                    }
                }
            }
        }
    }

    static func writeDetails(of entry: ModelEntry, created: Int, to writer: inout JSONWriter) {
        writer.object {
            $0.member("license", "")
            $0.member("modelfile", "")
            $0.member("parameters", entry.context.map { "num_ctx \($0)" } ?? "")
            $0.member("template", "{{ .Prompt }}")
            writeCommon(entry, to: &$0)
            $0.key("model_info")
            $0.object {
                $0.member("general.architecture", family)
                $0.member("general.basename", entry.name)
                if let context = entry.context { $0.member("llm-router.context_length", context) }
            }
            $0.member("modified_at", WireDate.rfc3339(created))
        }
    }

    /// Writes the members that both have.
    private static func writeCommon(_ entry: ModelEntry, to writer: inout JSONWriter) {
        writer.key("details")
        writer.object {
            $0.member("parent_model", "")
            $0.member("format", "gguf")
            $0.member("family", family)
            $0.key("families")
            $0.array { $0.string(family) }
            $0.member("parameter_size", "")
            $0.member("quantization_level", "")
            if let context = entry.context { $0.member("context_length", context) }
        }
        writer.key("capabilities")
        writer.array { for capability in capabilities(of: entry) { $0.string(capability) } }
    }

    /// Source: ollama/ollama, types/model/capability.go.
    private static func capabilities(of entry: ModelEntry) -> [String] {
        var words: [String] = []
        if entry.serves.contains(.chat) {
            words = ["completion"]
            let known: [(Capability, String)] = [(.tools, "tools"), (.image, "vision"), (.audio, "audio"), (.reasoning, "thinking")]
            words += known.filter { entry.supports.contains($0.0) }.map(\.1)
        }
        return words + (entry.serves.contains(.embeddings) ? ["embedding"] : [])
    }
}
