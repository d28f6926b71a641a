import Codecs
public import ProviderKit

/// Anthropic's list of models, `GET /v1/models`. Source: the SDK's `types/model_info.py` and `model_capabilities.py`.
public enum AnthropicModels {
    /// The query for the first page, which is the largest possible one.
    public static let query = "?limit=1000"

    /// The query for the page after another one; nil if that is the last. Source: Anthropic's API reference, "List
    /// Models".
    public static func query(after page: RawSpan) -> String? {
        guard let page = JSONTree(page), page["has_more"]?.bool == true, let last = page["last_id"]?.string, !last.isEmpty else {
            return nil
        }
        return "\(query)&after_id=\(PercentEncoding.segment(last))"
    }

    /// Reads a list. Retired models are left out, because requests that name one fail.
    public static func read(_ body: RawSpan) throws(ProviderError) -> [ListedModel] {
        guard let entries = JSONTree(body)?["data"]?.elements else {
            throw ProviderError(.upstreamError, message: "the list of models is not one in Anthropic's format")
        }
        return entries.compactMap { model($0) }
    }

    private static func model(_ entry: JSONTree) -> ListedModel? {
        guard let id = entry["id"]?.string, !id.isEmpty, entry["lifecycle"]?.string != "retired" else { return nil }
        var model = ListedModel(id: id)
        model.name = entry["display_name"]?.string
        model.context = ListedModel.tokens(entry["max_input_tokens"])
        model.maxOutput = ListedModel.tokens(entry["max_tokens"])
        model.operations = [.chat]
        // Every model of the API calls tools.
        model.callsTools = true
        guard let capabilities = entry["capabilities"], capabilities.members != nil else { return model }
        func supports(_ name: StaticString) -> Bool? { capabilities[name]?["supported"]?.bool }
        model.inputModalities =
            ["text"] + (supports("image_input") == true ? ["image"] : []) + (supports("pdf_input") == true ? ["file"] : [])
        model.outputModalities = ["text"]
        model.writesJSON = supports("structured_outputs")
        model.reasons = supports("thinking")
        return model
    }
}
