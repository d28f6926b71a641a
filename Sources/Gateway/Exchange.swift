import Codecs
import Engine
import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy
import Telemetry

/// One request, from its head to its line in the access log. It is the argument of every endpoint, and confined to the
/// connection's event loop.
final class Exchange: ClientObserver {
    /// The request's head and body, and its connection.
    let server: ServerExchange
    let gateway: GatewayHandler
    /// nil if the path is not an endpoint.
    let endpoint: Endpoint?
    /// The part of the path in place of an endpoint's `{id}`.
    let pathParameter: String?
    let requestID: String
    /// Whether the client has chosen the id.
    private let choosesID: Bool
    /// nil if requests aren't traced, or if this one can't lead to a call.
    let trace: TraceContext?
    let loop: EngineLoop
    /// The policy that the request is served under, even if a reload replaces it meanwhile.
    let snapshot: Snapshot
    /// The client's key, an index into the policy's keys; nil if the policy has none or the endpoint is open.
    let key: Int?
    /// Whether the key has `metadata: false`: the client must not learn which providers and models serve it.
    let hidesNames: Bool
    /// The API that the client speaks.
    let face: Face
    /// Whether bodies include `_router`. The header `x-router-metadata: off` leaves it out too.
    let wantsMetadata: Bool
    var call: RunningCall?
    /// The request's place under the limits and the budget of its key; nil if it has neither.
    var admission: KeyAdmission?
    /// Reads the request's body, if it is a form.
    var form: MultipartReader?
    /// The events that the response consists of; nil for any other response.
    var feed: EventFeed?
    /// The names in the request's `model`, and whether it asks for a stream; nil until it is read.
    var asked: (models: [String], isStream: Bool)?
    /// When the response was begun, for formats that say it: in seconds since 1970.
    lazy var created = Timestamp.seconds()
    private var hasEnded = false
    /// Whether the upstream's id of the request is in the head.
    private var passesRequestID = false

    init(
        _ server: ServerExchange, _ gateway: GatewayHandler, _ endpoint: Endpoint?, pathParameter: String?, requestID: RequestID, key: Int?,
        loop: EngineLoop, snapshot: Snapshot
    ) {
        let fields = server.head.fields
        trace = endpoint?.callsModels == true ? snapshot.traceSample.map { Self.trace(fields, sample: $0, loop, snapshot) } : nil
        hidesNames = key.map { !snapshot.policy.keys[$0].wantsMetadata } ?? false
        face = .of(endpoint, path: server.head.path, fields)
        if endpoint?.callsModels == true, snapshot.policy.log.access.bodies != .off { server.maxKeptBytes = Self.maxLoggedBodyBytes }
        wantsMetadata =
            !hidesNames && face.bodiesCarryRouting
            && !(fields.contains("x-router-metadata") && fields.value("x-router-metadata")?.lowercased() == "off")
        self.gateway = gateway
        self.pathParameter = pathParameter
        self.requestID = requestID.text
        choosesID = requestID.isClients
        self.key = key
        // The parameters that are read above are stored last, so that they are moved.
        self.server = server
        self.endpoint = endpoint
        self.loop = loop
        self.snapshot = snapshot
        if exportsContent, trace?.isSampled == true { self.server.maxKeptBytes = Self.maxExportedBodyBytes }
    }

    private static func trace(_ fields: HTTPFields, sample: Double, _ loop: EngineLoop, _ snapshot: Snapshot) -> TraceContext {
        let parent = fields.value("traceparent")
        var states: [String] = []
        if parent != nil { fields.forEachSlice("tracestate") { states.append(String(buffer: $0)) } }
        // It goes to providers and to the collector.
        if states.contains(where: { snapshot.mask.shows($0) }) { states = [] }
        return TraceContext(
            traceparent: parent, tracestate: states, sample: sample, random: loop.nextRandom)
    }

    var keyName: String? { key.map { snapshot.policy.keys[$0].name } }

    /// The client's key; nil if the policy has none or the endpoint is open.
    var definition: KeyDefinition? { key.map { snapshot.policy.keys[$0] } }

    /// The error in the access log for a client that did not read the complete response.
    var departure: APIError {
        server.hasStalled
            ? APIError(499, "the client stopped reading the response", code: "client_stalled")
            : APIError(499, "the client left before the end of the response", code: "client_left")
    }

    /// The models and routes that the client may use; nil means all.
    var scope: ModelScope? { key.flatMap { snapshot.policy.keys[$0].models } }

    // MARK: Responses

    /// Sends a complete response. An empty body has no content type.
    func respond(
        _ status: Int, _ body: [UInt8], contentType: String = "application/json", fields: (inout ResponseHead) -> Void = { _ in },
        record: CallRecord? = nil,
        error: APIError? = nil
    ) {
        respond(status, ByteBuffer(bytes: body), contentType: contentType, fields: fields, record: record, error: error)
    }

    func respond(
        _ status: Int, _ body: ByteBuffer, contentType: String = "application/json", fields: (inout ResponseHead) -> Void = { _ in },
        record: CallRecord? = nil,
        error: APIError? = nil
    ) {
        guard !hasEnded else { return }
        // A model's response was counted while it arrived, and an error's body is small.
        let isCounted = record != nil || error != nil || endpoint?.isAdministrative == true
        guard isCounted || server.hasRoom(for: body.readableBytes) else { return respond(.buffersFull) }
        server.respond(head(status, contentType: body.readableBytes > 0 ? contentType : nil, fields), body)
        end(status: status, record: record, error: error)
    }

    /// Sends a complete response with a small JSON body, which `writeBody` writes directly into the connection's
    /// output.
    func respond(
        _ status: Int, bodyBytes: Int, fields: (inout ResponseHead) -> Void, record: CallRecord?, writeBody: (inout ByteBuffer) -> Void
    ) {
        guard !hasEnded else { return }
        var head = ResponseHead(status: status)
        head.add(lines: "content-type: application/json\r\n")
        add(fields, to: &head)
        server.respond(head, bodyBytes: bodyBytes, writeBody)
        end(status: status, record: record)
    }

    private func head(_ status: Int, contentType: String?, _ fields: (inout ResponseHead) -> Void) -> ResponseHead {
        var head = ResponseHead(status: status)
        if let contentType { head.add("content-type", contentType) }
        add(fields, to: &head)
        return head
    }

    private func add(_ fields: (inout ResponseHead) -> Void, to head: inout ResponseHead) {
        addCommonFields(to: &head)
        fields(&head)
        addRequestID(to: &head)
    }

    /// Adds the request's id under the name that the face's clients know, after all other fields: an upstream with the
    /// client's format has sent its own.
    func addRequestID(to head: inout ResponseHead) {
        if let name = face.requestIDField, !passesRequestID { head.add(name, requestID) }
    }

    /// Adds what every response has, streamed or not.
    func addCommonFields(to head: inout ResponseHead) {
        head.add("x-request-id", requestID)
        BrowserAccess.addFields(for: server.head.fields, snapshot.policy.server.cors, to: &head)
    }

    /// Adds the fields of the call record, and those of the upstream's head that go to the client.
    ///
    /// - Parameter isOwn: whether the router itself writes the response, and not what the upstream sent.
    func addFields(_ record: CallRecord, to head: inout ResponseHead, isOwn: Bool = false) {
        RouterMetadata.addFields(record, to: &head, withNames: !hidesNames)
        guard !isOwn, !hidesNames else { return }
        for field in record.upstreamFields {
            guard case .plain(let value) = field.value else { continue }
            if let name = face.requestIDField, field.name == name.description { passesRequestID = true }
            head.add(name: field.name, value: snapshot.mask(value))
        }
    }

    /// - Parameter allow: the endpoint's methods, for a 405.
    func respond(_ error: APIError, record: CallRecord? = nil, allow: String? = nil) {
        respond(
            error.status, body(of: error, record),
            fields: { head in
                error.addFields(to: &head)
                if let allow { head.add("allow", allow) }
                if let record {
                    addFields(record, to: &head, isOwn: error.refusal == nil)
                } else if endpoint?.callsModels == true {
                    RouterMetadata.addFields(unplannedAfter: .now() - server.acceptedAt, to: &head)
                }
            }, record: record, error: error)
    }

    private func body(of error: APIError, _ record: CallRecord?) -> [UInt8] {
        if face.passesRefusals, let refusal = error.refusal { return Array(refusal.utf8) }
        var writer = JSONWriter()
        face.writeError(error, requestID, wantsMetadata && record?.provider != nil ? record : nil, &writer)
        return writer.bytes
    }

    struct Reply: Sendable {
        var status: Int
        var body: [UInt8]
        var contentType = "application/json"
        /// The error that is sent instead; nil: none.
        var error: APIError?

        static func error(_ error: APIError) -> Reply { Reply(status: error.status, body: [], error: error) }
    }

    /// Runs `makeReply` outside the event loop, then sends the reply on the event loop.
    func respondLater(_ makeReply: @escaping @Sendable () async -> Reply) {
        let bound = NIOLoopBound(self, eventLoop: server.eventLoop)
        Task {
            let reply = await makeReply()
            bound.eventLoop.execute {
                if let error = reply.error { return bound.value.respond(error) }
                bound.value.respond(reply.status, reply.body, contentType: reply.contentType)
            }
        }
    }

    // MARK: End

    /// What the request's spans are made from; nil if none are exported.
    func spanSource(hasFailed: Bool) -> SpanSource? {
        guard let trace, trace.isSampled || hasFailed else { return nil }
        return SpanSource(
            route: endpoint?.paths.first ?? "", scheme: server.isEncrypted ? "https" : "http", call: call,
            content: exportsContent ? chatContent : nil)
    }

    /// How much of each body the log gets: as much as the mask reads.
    private static let maxLoggedBodyBytes = SecretMask.maxTextBytes

    /// The bodies for the log; nil unless the policy wants them. Requests of operators have none, because a posted
    /// policy has secrets that the running one doesn't know.
    private func loggedBodies(hasFailed: Bool) -> RequestRecord.Bodies? {
        let bodies = snapshot.policy.log.access.bodies
        guard bodies != .off, server.maxKeptBytes > 0, hasFailed || bodies == .all else { return nil }
        func text(_ bytes: some Collection<UInt8>) -> String? {
            // Audio and images have zeros.
            bytes.isEmpty || bytes.contains(0) ? nil : snapshot.mask(String(decoding: bytes, as: UTF8.self))
        }
        return RequestRecord.Bodies(
            request: form == nil ? text(server.body.readableBytesView.prefix(Self.maxLoggedBodyBytes)) : nil,
            response: text(server.keptBody.prefix(Self.maxLoggedBodyBytes)))
    }

    /// The request's id without secrets.
    private var loggedRequestID: String { choosesID ? snapshot.mask.ifShown(requestID) : requestID }

    func end(status: Int, record: CallRecord? = nil, error: APIError?) {
        guard let error else { return end(status: status, record: record) }
        end(status: status, record: record, errorCode: error.code ?? error.type, message: error.message)
    }

    /// Reports the request to the observer. Only the first call has an effect.
    func end(status: Int, record: CallRecord? = nil, errorCode: String? = nil, message: String? = nil) {
        guard !hasEnded else { return }
        hasEnded = true
        let hasFailed = RequestRecord.hasFailed(status: status, error: errorCode, call: record)
        let spanSource = spanSource(hasFailed: hasFailed)
        call = nil
        admission?.abandon()
        // A successful response names only models of the policy, and an endpoint's path.
        let isKnown = status < 400 && asked?.models.count ?? 0 <= 1
        let path = server.head.path, model = asked.flatMap { $0.models.count > 1 ? $0.models.joined(separator: ",") : $0.models.first }
        let session = RequestTraits.session(in: server.head.fields).map { snapshot.mask($0) }
        loop.observer?.ended(
            RequestRecord(
                requestID: loggedRequestID, endpoint: endpoint?.name ?? EndpointTable.otherName,
                isAdministrative: endpoint?.isAdministrative ?? false, method: server.head.method.description,
                path: isKnown ? path : snapshot.mask(path),
                remoteHost: server.remoteHost, key: keyName,
                keyLabels: key.map { snapshot.policy.keys[$0].labels.map { ($0.name, $0.text) } } ?? [],
                requestedModel: isKnown ? model : model.map { snapshot.mask($0) },
                session: session, isStream: asked?.isStream, status: status, bytesReceived: server.requestBodyBytes,
                bytesSent: server.bytesSent,
                call: record, skippedNames: record.map { $0.skippedNames.map { snapshot.mask($0) } } ?? [],
                error: errorCode, message: message.map { snapshot.mask($0) },
                bodies: loggedBodies(hasFailed: hasFailed), trace: trace, spanSource: spanSource,
                duration: record?.totalTime ?? NIODeadline.now() - server.acceptedAt))
    }

    func clientLeft() {
        if let feed {
            // A feed has no end that the client could wait for.
            feed.stop()
            return end(status: 200)
        }
        // A running call ends now, and the exchange with it.
        if let call { call.clientLeft() } else { end(status: 499, error: departure) }
    }

    func uploadArrived(_ bytes: ByteBuffer) {
        do throws(MultipartError) { try form?.read(bytes.readableBytesSpan) } catch { respond(APIError(error)) }
    }

    func clientWritable(_ isWritable: Bool) {
        call?.clientWritable(isWritable)
        feed?.clientWritable(isWritable)
    }
}
