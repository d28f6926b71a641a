import Codecs
import Engine
import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// The number of a conversation's tokens, without a response to it.
///
/// The request is planned like a chat, and its first candidate answers: the provider counts if it can, and otherwise
/// the router estimates. No other model is asked, and neither breakers nor costs learn of it.
enum CountTokensEndpoint {
    /// An endpoint's `serve`.
    ///
    /// - Parameters:
    ///   - format: the client's.
    ///   - makeWriter: makes the writer of a provider's number.
    ///   - write: writes the members of the router's own estimate.
    static func serve(
        _ format: WireFormat, makeWriter: @escaping @Sendable (Exchange) -> any ResponseWriter,
        write: @escaping @Sendable (_ tokens: Int, _ writer: inout JSONWriter) -> Void
    ) -> @Sendable (Exchange) -> Void {
        let kind = CallRequest.Kind(.countTokens, format) { _ throws(ProviderError) in
            throw .cannotExpress("a request to count tokens")
        }
        return { serve($0, kind, makeWriter, write) }
    }

    private static func serve(
        _ exchange: Exchange, _ kind: CallRequest.Kind, _ makeWriter: (Exchange) -> any ResponseWriter,
        _ write: @escaping (Int, inout JSONWriter) -> Void
    ) {
        let readAt = NIODeadline.now()
        do throws(APIError) {
            let body = exchange.server.requestBody
            // The estimate is the response, so all texts are read.
            let request = try CallEndpoint.outline(of: exchange, exactFrom: 0)
            exchange.asked = (request.models, false)
            let planned = PlanRequest(
                operation: .chat, models: request.models, needs: request.needs, overrides: request.overrides, scope: exchange.scope)
            let snapshot = exchange.snapshot.including(fallbackOf: planned), estimate = request.needs.promptTokens
            var plan = try CallEndpoint.plan(planned, exchange, in: snapshot)
            guard let model = plan.keepFirstCandidate(), snapshot.canCount(model, in: kind.format, now: readAt) else {
                return respond(exchange) { write(estimate, &$0) }
            }
            let call = RunningCall(
                loop: exchange.loop, snapshot: snapshot, plan: plan,
                request: CallRequest(
                    kind, isStream: false, body: body, payload: request.payload,
                    formatHeaders: CallEndpoint.formatFields(of: exchange.server.head.fields, exchange.face.requestFields),
                    responseFields: exchange.face.responseFields, key: exchange.keyName, arrivedAt: exchange.server.acceptedAt,
                    readAt: readAt),
                needs: RequestNeeds(), admission: exchange.admission,
                writer: CountTokensWriter(makeWriter(exchange)) { respond(exchange, $0) { write(estimate, &$0) } })
            exchange.call = call
            call.start()
        } catch {
            exchange.respond(error)
        }
    }

    /// Responds with the router's estimate.
    ///
    /// - Parameter record: the call in which the provider was asked; nil if it wasn't.
    private static func respond(_ exchange: Exchange, _ record: CallRecord? = nil, _ members: (inout JSONWriter) -> Void) {
        var writer = JSONWriter(capacity: 64)
        writer.object(members)
        exchange.respond(
            200, writer.bytes,
            fields: {
                if let record { return exchange.addFields(record, to: &$0, isOwn: true) }
                RouterMetadata.addFields(unplannedAfter: .now() - exchange.server.acceptedAt, to: &$0)
            }, record: record)
    }
}

/// Writes the number of tokens: the provider's, or the router's estimate if the provider's server can't count.
private final class CountTokensWriter: ResponseWriter {
    private let base: any ResponseWriter
    private let respondWithEstimate: (CallRecord) -> Void

    /// - Parameter base: writes the provider's number.
    init(_ base: any ResponseWriter, respondWithEstimate: @escaping (CallRecord) -> Void) {
        self.base = base
        self.respondWithEstimate = respondWithEstimate
    }

    func fail(_ failure: CallFailure, _ record: CallRecord) {
        if Self.hasNoEndpoint(failure.error) { respondWithEstimate(record) } else { base.fail(failure, record) }
    }

    /// Whether a refusal means that the server doesn't have the endpoint. Anthropic's type and OpenAI's code are about
    /// the model.
    private static func hasNoEndpoint(_ error: ProviderError) -> Bool {
        switch error.status {
        case 404: error.type != "not_found_error" && error.code != "model_not_found"
        case 405, 501: true
        default: false
        }
    }

    var stagedBytes: Int { base.stagedBytes }
    func begin(_ record: CallRecord) { base.begin(record) }
    func write(_ parts: [ResponsePart], of bytes: ByteBuffer) { base.write(parts, of: bytes) }
    func commit(_ record: CallRecord) { base.commit(record) }
    func resume(_ record: CallRecord) { base.resume(record) }
    func flush() { base.flush() }
    func isJSON(_ response: [(parts: [ResponsePart], bytes: ByteBuffer)]) -> Bool { base.isJSON(response) }
    func finish(_ record: CallRecord) { base.finish(record) }
}

extension Snapshot {
    /// Whether the model's provider can count tokens in a format, and may be asked now.
    fileprivate func canCount(_ model: Int, in format: WireFormat, now: NIODeadline) -> Bool {
        guard let provider = instance(ofModel: model)?.provider else { return false }
        let definition = policy.models[model]
        return ModelDefinition.formats(definition.formats, for: .countTokens, upstream: definition.upstream, at: provider).contains(format)
            && state(ofModel: model).availability(now: now).isAvailable
    }
}
