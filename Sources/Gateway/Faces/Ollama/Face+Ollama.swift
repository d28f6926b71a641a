import Engine
import ProviderKit
import RoutingPolicy
import WireFormats

extension Face {
    /// Ollama's API. Sources: ollama/ollama, docs/api.md and server/routes.go.
    static let ollama = Face(
        name: .ollama, bodiesCarryRouting: false,
        members: .ollama,
        requestFields: [],
        responseFields: [],
        passesRefusals: true,
        streamsByDefault: true,
        defaultTag: ":latest",
        writeError: { error, _, _, writer in OllamaChat.writeError(error.ollamaMessage, to: &writer) },
        writeModels: { list, writer throws(APIError) in OllamaModelList.write(list, to: &writer) },
        writeModel: { model, created, writer in OllamaModelList.writeDetails(of: model, created: created, to: &writer) },
        chatDecoder: { call, head throws(ProviderError) in try OllamaChat.decoder(for: call, head: head) },
        writer: { exchange, request, format in
            if request.isStream { return OllamaStreamWriter(exchange, format) }
            return BufferedResponseWriter(exchange) { OllamaFold(format, model: $0) }
        })
}

extension APIError {
    /// Clients look for these words where a model is missing. Source: ollama/ollama, server/routes.go.
    var ollamaMessage: String { unknownModel.map { "model '\($0)' not found" } ?? message }
}

extension Exchange {
    /// A model's name as the policy has it: with or without the face's default tag, which clients add to a name without
    /// a tag, and leave out. The name itself if the policy has neither.
    func known(_ name: String) -> String {
        guard let tag = face.defaultTag, !snapshot.knows(name) else { return name }
        let other = name.hasSuffix(tag) ? String(name.dropLast(tag.count)) : name + tag
        return snapshot.knows(other) ? other : name
    }
}

extension Snapshot {
    fileprivate func knows(_ name: String) -> Bool { route(named: name) != nil || !models(named: name).isEmpty }
}
