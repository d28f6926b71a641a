import Codecs
public import ProviderKit

/// Ollama's list of models, `GET /api/tags`, and what its servers say of one, `POST /api/show`. Source:
/// `ollama/ollama`, `api/types.go` (`ListModelResponse`, `ShowResponse`) and `types/model/capability.go`.
public enum OllamaModels {
    /// Reads a list.
    public static func read(_ body: RawSpan) throws(ProviderError) -> [ListedModel] {
        guard let entries = JSONTree(body)?["models"]?.elements else {
            throw ProviderError(.upstreamError, message: "the list of models is not one in Ollama's format")
        }
        return entries.compactMap { model($0) }
    }

    private static func model(_ entry: JSONTree) -> ListedModel? {
        guard let id = entry["model"]?.string ?? entry["name"]?.string, !id.isEmpty else { return nil }
        var model = ListedModel(id: id)
        model.context = ListedModel.tokens(entry["details"]?["context_length"])
        // What runs on the operator's own machine costs nothing; a cloud model's price is not in the list.
        if entry["remote_host"]?.string == nil { model.price = ListedPrice(input: 0, output: 0) }
        read(capabilities: entry["capabilities"], into: &model)
        return model
    }

    /// Reads the details of a model, whose context is a member with the architecture's name, such as
    /// `llama.context_length`.
    public static func read(_ listed: ListedModel, details: RawSpan) throws(ProviderError) -> ListedModel {
        guard let details = JSONTree(details), details["capabilities"] != nil || details["model_info"] != nil else {
            throw ProviderError(.upstreamError, message: "the details of a model are not in Ollama's format")
        }
        var model = listed
        let context = details["model_info"]?.members?.first { $0.name.hasSuffix(".context_length") }?.value
        model.context = model.context ?? ListedModel.tokens(context)
        read(capabilities: details["capabilities"], into: &model)
        return model
    }

    private static func read(capabilities: JSONTree?, into model: inout ListedModel) {
        guard let words = capabilities?.elements?.compactMap(\.string) else { return }
        model.operations = words.contains("completion") ? [.chat] : words.contains("embedding") ? [.embeddings] : [.chat]
        model.inputModalities = ["text"] + ["image", "audio"].filter { ($0 == "image" ? words.contains("vision") : words.contains($0)) }
        model.callsTools = words.contains("tools")
        model.reasons = words.contains("thinking")
        // Every model can be held to a schema: the server restricts what it samples.
        model.writesJSON = words.contains("completion")
    }
}
