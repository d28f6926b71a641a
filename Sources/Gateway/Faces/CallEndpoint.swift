import Codecs
import Engine
import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// The endpoints that send requests to models.
enum CallEndpoint {
    typealias Translation = @Sendable (RawSpan) throws(ProviderError) -> Payload

    /// An endpoint's `serve`.
    ///
    /// - Parameters:
    ///   - isStream: whether an endpoint whose path names the model streams its responses.
    ///   - translate: reads a request for providers that don't speak `format`.
    static func serve(
        _ operation: ProviderKit.Operation, _ format: WireFormat, isStream: Bool = false, translate: @escaping Translation
    ) -> @Sendable (Exchange) -> Void {
        let kind = CallRequest.Kind(operation, format, translate: translate)
        return { serve($0, kind, isStream: isStream) }
    }

    /// Reads the request, plans it, and starts the call.
    private static func serve(_ exchange: Exchange, _ kind: CallRequest.Kind, isStream: Bool) {
        let operation = kind.operation
        let readAt = NIODeadline.now()
        do throws(APIError) {
            let request = try outline(of: exchange, isStream: isStream, mayStream: operation.mayStream)
            // Speech is sent on as it arrives, whether the client asks for audio or for events.
            let isStream = request.isStream || operation == .speech
            exchange.asked = (request.models, isStream)
            if request.isStream, !operation.mayStream {
                throw APIError(400, "'stream' is not supported here; leave it out", code: "unsupported_value", param: "stream")
            }
            let planned = PlanRequest(
                operation: operation, models: request.models, needs: request.needs, choices: request.choices, overrides: request.overrides,
                scope: exchange.scope, needsPrice: exchange.definition?.budget?.needsPrice ?? false, traits: exchange.traits(of: request))
            let snapshot = exchange.snapshot.including(unlistedOf: planned)
            var replan: (() -> Plan?)?
            if snapshot.sharesState, planned.traits != nil {
                replan = { [planned, loop = exchange.loop] in try? loop.plan(planned, in: snapshot) }
            }
            let plan = try plan(consume planned, exchange, in: snapshot, now: readAt)
            if plan.conversation == nil { replan = nil }
            let face = exchange.face, server = exchange.server, fields = server.head.fields
            let writer = operation.isAudio && isStream ? PayloadWriter(exchange) : face.writer(exchange, request, kind.format)
            let call = RunningCall(
                loop: exchange.loop, snapshot: snapshot, plan: consume plan,
                request: CallRequest(
                    kind, isStream: isStream, body: server.requestBody, payload: request.payload,
                    headers: forwardedFields(of: fields), formatHeaders: formatFields(of: fields, face.requestFields),
                    responseFields: face.responseFields,
                    key: exchange.keyName, choices: request.choices, trace: exchange.trace,
                    arrivedAt: server.acceptedAt, readAt: readAt),
                needs: request.needs, admission: exchange.admission, replan: replan, writer: writer)
            exchange.call = call
            call.start()
        } catch {
            exchange.respond(error)
        }
    }

    /// - Parameters:
    ///   - isStream: whether the path asks for a stream.
    ///   - mayStream: whether responses to the operation can be streams.
    ///   - exactFrom: as for `RequestOutline`; nil: as the policy needs it.
    static func outline(
        of exchange: Exchange, isStream: Bool = false, mayStream: Bool = false, exactFrom: Int? = nil
    ) throws(APIError) -> RequestOutline {
        let fields = exchange.server.head.fields, defaults = exchange.key.flatMap { exchange.snapshot.policy.keys[$0].defaults }
        if let reader = exchange.form {
            let form: MultipartForm
            do throws(MultipartError) { form = try reader.finish() } catch { throw APIError(error) }
            return try RequestOutline(form, fields: fields, defaults: defaults)
        }
        let body = exchange.server.body, face = exchange.face
        return try RequestOutline(
            body.readableBytesSpan, face.members,
            path: exchange.pathParameter.map { RequestOutline.Path(model: $0, isStream: isStream) }, fields: fields, defaults: defaults,
            streamsByDefault: mayStream && face.streamsByDefault,
            exactFrom: exactFrom ?? exchange.snapshot.exactTokensFrom, rename: face.defaultTag == nil ? nil : exchange.known)
    }

    /// The client's header fields that go upstream.
    private static func forwardedFields(of fields: HTTPFields) -> [HTTPField] {
        guard fields.contains("idempotency-key"), let key = fields.value(HTTPField.idempotencyKey), !key.isEmpty else { return [] }
        return [HTTPField(HTTPField.idempotencyKey, key)]
    }

    /// The client's header fields that go to providers that speak its format.
    static func formatFields(of fields: HTTPFields, _ prefixes: [StaticString]) -> [HTTPField] {
        var forwarded: [HTTPField] = []
        for prefix in prefixes { fields.forEach(prefix: prefix) { forwarded.append(HTTPField($0, $1)) } }
        return forwarded
    }

    static func plan(
        _ request: consuming PlanRequest, _ exchange: Exchange, in snapshot: Snapshot, now: NIODeadline = .now()
    ) throws(APIError) -> Plan {
        do throws(PlanRefusal) {
            return try exchange.loop.plan(request, in: snapshot, now: now)
        } catch {
            throw APIError(error, in: snapshot, withNames: !exchange.hidesNames)
        }
    }
}

extension ProviderKit.Operation {
    /// Whether responses can be streams.
    var mayStream: Bool {
        switch self {
        case .chat, .completion, .transcription, .translation, .speech: true
        case .countTokens, .embeddings, .imageGeneration, .imageEdit, .moderation, .rerank: false
        }
    }
}
