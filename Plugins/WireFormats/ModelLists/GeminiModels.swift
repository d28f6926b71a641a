import Codecs
public import ProviderKit

/// Gemini's list of models, `GET /v1beta/models`. Source: google-genai's `types.Model`, and its mapping of the Gemini
/// API's `displayName`, `inputTokenLimit`, `outputTokenLimit`, `supportedGenerationMethods` and `thinking`.
public enum GeminiModels {
    /// The query for the first page, which is the largest possible one. The server may send fewer models than that.
    public static let query = "?pageSize=1000"

    /// The query for the page after another one; nil if that is the last. Source: Gemini's API reference,
    /// "models.list".
    public static func query(after page: RawSpan) -> String? {
        guard let token = JSONTree(page)?["nextPageToken"]?.string, !token.isEmpty else { return nil }
        return "\(query)&pageToken=\(PercentEncoding.segment(token))"
    }

    private static let prefix = "models/"

    /// Reads a list. Models that neither chat nor make vectors are left out.
    public static func read(_ body: RawSpan) throws(ProviderError) -> [ListedModel] {
        guard let entries = JSONTree(body)?["models"]?.elements else {
            throw ProviderError(.upstreamError, message: "the list of models is not one in Gemini's format")
        }
        return entries.compactMap { model($0) }
    }

    private static func model(_ entry: JSONTree) -> ListedModel? {
        guard let name = entry["name"]?.string else { return nil }
        let id = name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
        let methods = entry["supportedGenerationMethods"]?.elements?.compactMap(\.string) ?? ["generateContent"]
        let operations: [Operation] =
            (methods.contains("generateContent") ? [.chat] : []) + (methods.contains("embedContent") ? [.embeddings] : [])
        guard !id.isEmpty, !operations.isEmpty else { return nil }
        var model = ListedModel(id: id)
        model.name = entry["displayName"]?.string
        model.description = entry["description"]?.string
        model.context = ListedModel.tokens(entry["inputTokenLimit"])
        model.maxOutput = ListedModel.tokens(entry["outputTokenLimit"])
        model.operations = operations
        model.reasons = entry["thinking"]?.bool
        return model
    }
}
