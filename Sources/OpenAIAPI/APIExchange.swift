import Engine
import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// One request from its head to its access record: what every endpoint needs. Confined to the connection's event loop.
final class APIExchange: CallerObserver {
    let exchange: ServerExchange
    let endpoint: Endpoint?
    let requestID: String
    let loop: EngineLoop
    /// The policy that the request is served under, from its head to its end.
    let snapshot: Snapshot
    /// Who calls, an index into the policy's keys; nil where everybody may.
    let key: Int?
    /// `x-router-metadata: off`, or the key's `metadata: false`, leaves `_router` out of bodies.
    let wantsMetadata: Bool
    var call: RunningCall?
    private let log: AccessLog
    private var hasEnded = false

    init(_ exchange: ServerExchange, endpoint: Endpoint?, requestID: String, key: Int?, loop: EngineLoop, snapshot: Snapshot, log: AccessLog) {
        self.exchange = exchange
        self.endpoint = endpoint
        self.requestID = requestID
        self.key = key
        self.loop = loop
        self.snapshot = snapshot
        self.log = log
        let fields = exchange.head.fields
        let wish = fields.contains("x-router-metadata") ? fields.value("x-router-metadata")?.lowercased() : nil
        wantsMetadata = wish == nil ? key.map { snapshot.policy.keys[$0].wantsMetadata } ?? true : wish != "off"
    }

    var keyName: String? { key.map { snapshot.policy.keys[$0].name } }

    /// Why a caller is gone before its answer's end, for the log.
    var wordForLeaving: String { exchange.hasStalled ? "caller_stalled" : "caller_left" }

    /// What the caller may reach; nil: everything.
    var scope: ModelScope? { key.flatMap { snapshot.policy.keys[$0].models } }

    /// A whole answer with JSON, or with nothing.
    func respond(
        _ status: Int, _ body: [UInt8], contentType: String = "application/json", fields: (inout ResponseHead) -> Void = { _ in }, facts: AnswerFacts? = nil,
        error: String? = nil
    ) {
        respond(status, ByteBuffer(bytes: body), contentType: contentType, fields: fields, facts: facts, error: error)
    }

    func respond(
        _ status: Int, _ body: ByteBuffer, contentType: String = "application/json", fields: (inout ResponseHead) -> Void = { _ in }, facts: AnswerFacts? = nil,
        error: String? = nil
    ) {
        guard !hasEnded else { return }
        exchange.respond(head(status, contentType: body.readableBytes > 0 ? contentType : nil, fields), body)
        end(status: status, facts: facts, error: error)
    }

    /// A small whole answer with JSON, which is still to be written.
    func respond(_ status: Int, bodyBytes: Int, fields: (inout ResponseHead) -> Void, facts: AnswerFacts?, writeBody: (inout ByteBuffer) -> Void) {
        guard !hasEnded else { return }
        exchange.respond(head(status, contentType: "application/json", fields), bodyBytes: bodyBytes, writeBody)
        end(status: status, facts: facts)
    }

    private func head(_ status: Int, contentType: String?, _ fields: (inout ResponseHead) -> Void) -> ResponseHead {
        var head = ResponseHead(status: status)
        head.add("x-request-id", requestID)
        if let contentType { head.add("content-type", contentType) }
        fields(&head)
        return head
    }

    /// - Parameter allow: the endpoint's methods, for a 405.
    func respond(_ error: APIError, facts: AnswerFacts? = nil, allow: StaticString? = nil) {
        var writer = JSONWriter()
        writer.object {
            error.write(to: &$0)
            if wantsMetadata, let facts, facts.provider != nil { RouterMetadata.write(facts, to: &$0, isComplete: true) }
        }
        respond(
            error.status, writer.bytes,
            fields: { head in
                error.addFields(to: &head)
                if let allow { head.add("allow", "\(allow)") }
                if let facts {
                    RouterMetadata.addFields(facts, to: &head)
                } else if endpoint == .chat {
                    RouterMetadata.addFields(unplannedAfter: .now() - exchange.acceptedAt, to: &head)
                }
            }, facts: facts, error: error.code ?? error.type)
    }

    /// Writes the access record and counts the request: once, whatever happened.
    func end(status: Int, facts: AnswerFacts? = nil, error: String? = nil) {
        guard !hasEnded else { return }
        hasEnded = true
        call = nil
        loop.metrics.request(endpoint: endpoint?.name ?? "other", status: status)
        log.write(
            AccessRecord(
                requestID: requestID, endpoint: endpoint?.name ?? "other", method: exchange.head.method.description, path: exchange.head.path, remoteHost: exchange.remoteHost, key: keyName, status: status,
                bytesReceived: exchange.body.readableBytes, bytesSent: exchange.bytesSent, facts: facts, error: error,
                duration: facts?.totalTime ?? NIODeadline.now() - exchange.acceptedAt))
    }

    func callerLeft() {
        // The call ends by it, and writes the record. Without one there is nothing to stop.
        if let call { call.callerLeft() } else { end(status: 499, error: wordForLeaving) }
    }

    func callerWritable(_ isWritable: Bool) {
        call?.callerWritable(isWritable)
    }
}
