import HTTPWire
import ProviderKit
import WireFormats

extension Face {
    /// Anthropic's Messages API.
    ///
    /// Sources: Anthropic's API reference, "Versions", "Beta headers", "Errors" and "Rate limits"; Claude Code's guide
    /// for gateways, which lists what they must pass on in both directions.
    static let anthropic = Face(
        name: .anthropic, bodiesCarryRouting: false,
        members: .anthropic,
        requestFields: ["anthropic-"],
        responseFields: ["request-id", "anthropic-ratelimit-", "x-should-retry"],
        requestIDField: "request-id",
        overloadStatus: 529,
        passesRefusals: true,
        writeError: { error, requestID, _, writer in
            AnthropicMessages.writeError(type: error.anthropicType, message: error.anthropicMessage, requestID: requestID, to: &writer)
        },
        writeModels: { list, writer throws(APIError) in try AnthropicModelList(list).write(to: &writer) },
        writeModel: { model, created, writer in AnthropicModelList.write(model, created: created, to: &writer) },
        chatDecoder: { call, head throws(ProviderError) in try AnthropicMessages.decoder(for: call, head: head) },
        writer: { exchange, request, _ in
            if request.isStream { return AnthropicStreamWriter(exchange, request) }
            return BufferedResponseWriter.anthropic(exchange)
        })
}

extension APIError {
    /// An error event's type may be the upstream's own, as long as it isn't about the router's account.
    var anthropicType: String {
        if isEvent, let upstreamType, AnthropicMessages.eventErrorTypes.contains(upstreamType) { return upstreamType }
        return AnthropicMessages.errorType(ofStatus: status)
    }

    /// Claude Code recognizes a prompt that is too long by these words, and shortens it.
    /// Source: Claude Code's guide for gateways, "Error handling".
    var anthropicMessage: String {
        isOverflow && !message.lowercased().contains("prompt is too long") ? "prompt is too long: \(message)" : message
    }
}
