import Codecs
import Engine
import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy
import WireFormats

/// `POST /messages/count_tokens`: the number of a conversation's tokens, without a response to it.
///
/// The request is planned like a chat, and its first candidate answers: the provider counts if it can, and otherwise
/// the router estimates. No other model is asked, and neither breakers nor costs learn of it.
enum CountTokensEndpoint {
    private static let kind = CallRequest.Kind(.countTokens, AnthropicMessages.format) { _ throws(ProviderError) in
        throw .cannotExpress("a request to count tokens")
    }

    static func serve(_ exchange: Exchange) {
        let readAt = NIODeadline.now()
        do throws(APIError) {
            let body = exchange.server.requestBody
            // The estimate is the response, so all texts are read.
            let request = try CallEndpoint.outline(of: exchange, exactFrom: 0)
            exchange.asked = (request.models, false)
            let planned = PlanRequest(
                operation: .chat, models: request.models, needs: request.needs, overrides: request.overrides, scope: exchange.scope)
            let snapshot = exchange.snapshot.including(fallbackOf: planned)
            var plan = try CallEndpoint.plan(planned, exchange, in: snapshot)
            guard let model = plan.keepFirstCandidate(), snapshot.canCount(model, now: readAt) else {
                return respond(request.needs.promptTokens, exchange)
            }
            let call = RunningCall(
                loop: exchange.loop, snapshot: snapshot, plan: plan,
                request: CallRequest(
                    kind, isStream: false, body: body, payload: request.payload,
                    formatHeaders: CallEndpoint.formatFields(of: exchange.server.head.fields, exchange.face.requestFields),
                    responseFields: exchange.face.responseFields, key: exchange.keyName, arrivedAt: exchange.server.acceptedAt,
                    readAt: readAt),
                needs: RequestNeeds(), admission: exchange.admission, writer: AnthropicResponseWriter(exchange))
            exchange.call = call
            call.start()
        } catch {
            exchange.respond(error)
        }
    }

    private static func respond(_ tokens: Int, _ exchange: Exchange) {
        var writer = JSONWriter(capacity: 32)
        writer.object { $0.member("input_tokens", tokens) }
        exchange.respond(
            200, writer.bytes,
            fields: { RouterMetadata.addFields(unplannedAfter: .now() - exchange.server.acceptedAt, to: &$0) })
    }
}

extension Snapshot {
    /// Whether the model's provider can count tokens, and may be asked now.
    fileprivate func canCount(_ model: Int, now: NIODeadline) -> Bool {
        guard let provider = instance(ofModel: model)?.provider else { return false }
        return provider.formats(for: .countTokens, model: policy.models[model].upstream).contains(AnthropicMessages.format)
            && state(ofModel: model).availability(now: now).isAvailable
    }
}
