import Engine
import ProviderKit
import WireFormats

extension Face {
    /// OpenAI's Responses. Errors and lists of models are those of OpenAI's API.
    ///
    /// The header fields are those of Codex, of which OpenAI's servers act on some, and those that it reads of a
    /// response. Source: openai/codex, codex-rs/codex-api.
    static let openAIResponses = Face(
        name: .openai,
        bodiesCarryRouting: openAI.bodiesCarryRouting,
        members: .openAIResponses,
        requestFields: ["openai-beta", "x-codex-", "x-openai-subagent"],
        responseFields: ["openai-model", "x-codex-", "x-models-etag", "x-reasoning-included"],
        passesRefusals: openAI.passesRefusals,
        writeError: openAI.writeError,
        writeModels: openAI.writeModels,
        writeModel: openAI.writeModel,
        chatDecoder: { call, head throws(ProviderError) in try OpenAIResponses.decoder(for: call, head: head) },
        writer: { exchange, request, _ in
            if request.isStream { return ResponsesStreamWriter(exchange) }
            return ResponsesWriter(exchange, wantsData: request.wantsJSON)
        })
}

extension APIError {
    /// The code and the message of a response that has failed. Codex waits as long as the words say, and shortens a
    /// conversation that is too long. Source: openai/codex, codex-rs/codex-api/src/sse/responses.rs.
    var responseFailure: (code: String, message: String) {
        guard status == 429, code != "insufficient_quota" else { return (code ?? "server_error", message) }
        let wait = retryAfter.map { "; try again in \($0)s" } ?? ""
        return ("rate_limit_exceeded", message.contains("try again in") ? message : message + wait)
    }
}
