import Codecs
import Engine
import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// The endpoints that tell the number of a conversation's tokens, without a response to it.
///
/// The request is planned like a chat, and its first candidate answers: the provider counts if it can, and otherwise
/// the router estimates. No other model is asked, and neither breakers, keys nor costs learn of it.
enum CountTokensEndpoint {
    /// Writes the response with a number of tokens.
    typealias Writing = @Sendable (_ writer: inout JSONWriter, _ tokens: Int) -> Void

    /// An endpoint's `serve`.
    ///
    /// - Parameters:
    ///   - format: the client's.
    ///   - translate: reads a request for providers that don't speak `format`.
    static func serve(
        _ format: WireFormat, translate: @escaping CallEndpoint.Translation, write: @escaping Writing
    ) -> @Sendable (Exchange) -> Void {
        let kind = CallRequest.Kind(.countTokens, format, translate: translate)
        return { serve($0, kind, write) }
    }

    private static func serve(_ exchange: Exchange, _ kind: CallRequest.Kind, _ write: @escaping Writing) {
        let readAt = NIODeadline.now()
        do throws(APIError) {
            let body = exchange.server.requestBody
            // The estimate is the response, so all texts are read.
            let request = try CallEndpoint.outline(of: exchange, exactFrom: 0)
            exchange.asked = (request.models, false)
            let planned = PlanRequest(
                operation: .chat, models: request.models, needs: request.needs, overrides: request.overrides, scope: exchange.scope,
                traits: exchange.traits(of: request))
            let snapshot = exchange.snapshot.including(unlistedOf: planned)
            var plan = try CallEndpoint.plan(planned, exchange, in: snapshot)
            let writer = CountWriter(exchange, estimate: request.needs.promptTokens, write)
            guard let model = plan.keepFirstCandidate(), snapshot.canCount(model, now: readAt) else { return writer.respondWithEstimate() }
            let call = RunningCall(
                loop: exchange.loop, snapshot: snapshot, plan: plan,
                request: CallRequest(
                    kind, isStream: false, body: body, payload: request.payload,
                    formatHeaders: CallEndpoint.formatFields(of: exchange.server.head.fields, exchange.face.requestFields),
                    responseFields: exchange.face.responseFields, key: exchange.keyName, trace: exchange.trace,
                    arrivedAt: exchange.server.acceptedAt, readAt: readAt),
                needs: RequestNeeds(), admission: exchange.admission, writer: writer)
            exchange.call = call
            call.start()
        } catch {
            exchange.respond(error)
        }
    }
}

/// Writes a number of tokens. A response that has the client's format passes through.
private final class CountWriter: ResponseWriter {
    private let exchange: Exchange
    private let estimate: Int
    private let write: CountTokensEndpoint.Writing
    private var response: ByteBuffer?

    init(_ exchange: Exchange, estimate: Int, _ write: @escaping CountTokensEndpoint.Writing) {
        self.exchange = exchange
        self.estimate = estimate
        self.write = write
    }

    var stagedBytes: Int { response?.readableBytes ?? 0 }

    func begin(_ record: CallRecord) { response = nil }

    func write(_ parts: [ResponsePart], of bytes: ByteBuffer) {
        for part in parts {
            switch part {
            case .buffered(let json, _): response = bytes.getSlice(at: bytes.readerIndex + json.lowerBound, length: json.count)
            case .count(let tokens): response = ByteBuffer(bytes: object(tokens))
            case .event, .chunk, .joined, .embeddings, .payload: break  // never a part of a number
            }
        }
    }

    func commit(_ record: CallRecord) {}

    func resume(_ record: CallRecord) {}

    func flush() {}

    func isJSON(_ response: [(parts: [ResponsePart], bytes: ByteBuffer)]) -> Bool { true }

    func finish(_ record: CallRecord) {
        exchange.respond(200, response ?? ByteBuffer(), fields: { exchange.addFields(record, to: &$0) }, record: record)
    }

    func fail(_ failure: CallFailure, _ record: CallRecord) {
        if failure.cause == .clientLeft { return exchange.end(status: 499, record: record, error: exchange.departure) }
        guard Self.isOfRequest(failure.error) else { return respondWithEstimate(after: record) }
        exchange.respond(exchange.error(failure, record), record: record)
    }

    /// Whether a failure tells the client what is wrong with its request or its model: the router has found it, or the
    /// provider, which speaks the client's format. Another provider's refusal may be about how it counts: Bedrock's
    /// CountTokens knows other names of models than Converse, and wants a permission of its own. Source: Amazon
    /// Bedrock's API reference, `CountTokens`.
    private static func isOfRequest(_ error: ProviderError) -> Bool {
        if hasNoEndpoint(error) { return false }
        return switch error.failure {
        case .clientError, .contextOverflow, .contentFilter, .notFound: error.status == nil || error.body != nil
        // What the provider's format can't express, it can't count.
        case .unsupported: false
        case .unreachable, .reset, .timeout, .upstreamError, .rateLimited, .providerRejected, .invalidJSON, .routerLimit, .cancelled: false
        }
    }

    /// Whether a refusal means that the server doesn't have the endpoint. A 404 that names a model is about the model:
    /// Anthropic's says `model: NAME`, with the type that servers of its format have for unknown paths too.
    private static func hasNoEndpoint(_ error: ProviderError) -> Bool {
        switch error.status {
        case 404: error.code != "model_not_found" && !error.message.lowercased().contains("model")
        case 405, 501: true
        default: false
        }
    }

    /// - Parameter record: the call in which the provider was asked; nil if it wasn't.
    func respondWithEstimate(after record: CallRecord? = nil) {
        exchange.respond(
            200, object(estimate),
            fields: {
                if let record { return exchange.addFields(record, to: &$0, isOwn: true) }
                RouterMetadata.addFields(unplannedAfter: .now() - exchange.server.acceptedAt, to: &$0)
            }, record: record)
    }

    private func object(_ tokens: Int) -> [UInt8] {
        var writer = JSONWriter(capacity: 32)
        write(&writer, tokens)
        return writer.bytes
    }
}

extension Snapshot {
    /// Whether the model's provider can count tokens, and may be asked now.
    fileprivate func canCount(_ model: Int, now: NIODeadline) -> Bool {
        guard let provider = instance(ofModel: model)?.provider else { return false }
        let definition = models[model]
        return !ModelDefinition.formats(definition.formats, for: .countTokens, upstream: definition.upstream, at: provider).isEmpty
            && state(ofModel: model).availability(now: now).isAvailable
    }
}
