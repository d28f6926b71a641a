package import Engine
package import HTTPWire
package import NIOCore
import ProviderKit
import RoutingPolicy
import Synchronization

/// The OpenAI-compatible API: what the server calls for each request.
package final class APIHandler: ServerHandler {
    private let engine: Engine
    private let log: AccessLog
    private let operations: Operations
    private let draining = Atomic(false)

    package init(engine: Engine, log: AccessLog, operations: Operations) {
        self.engine = engine
        self.log = log
        self.operations = operations
    }

    /// From now on `/readyz` is 503; requests are still served.
    package func becomeUnready() { operations.becomeUnready() }

    /// From now on new calls are refused with `shutting_down`.
    package func startDraining() { draining.store(true, ordering: .releasing) }

    package func accept(_ exchange: ServerExchange) -> BodyPlan {
        let loop = engine.loop(of: exchange.eventLoop)
        let snapshot = loop.snapshot
        let endpoint = Endpoint(path: exchange.head.path)
        let requestID = RequestID.of(exchange.head.fields, random: loop.nextRandom())
        func exchangeOf(_ key: Int?) -> APIExchange {
            APIExchange(exchange, endpoint: endpoint, requestID: requestID, key: key, loop: loop, snapshot: snapshot, log: log)
        }
        do throws(APIError) {
            guard let endpoint else {
                throw APIError(404, "no endpoint '\(exchange.head.path.excerpt)'; chat is POST /v1/chat/completions", code: "not_found")
            }
            if exchange.head.method == .options {
                exchangeOf(nil).respond(204, [], fields: { $0.add("allow", "\(endpoint.allowedMethods)") })
                return .answered
            }
            guard endpoint.allows(exchange.head.method) else {
                throw APIError(405, "this endpoint takes \(endpoint.allowedMethods), not \(exchange.head.method.description.excerpt)", code: "method_not_allowed")
            }
            let key = endpoint.access == .open ? nil : try Authentication.key(of: exchange, in: snapshot)
            try Authentication.authorize(key, for: endpoint.access, in: snapshot)
            if exchange.head.fields.contains("content-encoding"), let encoding = exchange.head.fields.value("content-encoding"), encoding.lowercased() != "identity" {
                throw APIError(415, "a request body with content-encoding is not taken; send it as it is", code: "unsupported_content_encoding")
            }
            if endpoint == .chat, draining.load(ordering: .acquiring) {
                exchange.closeAfter = true
                throw APIError(503, "the router is shutting down", code: "shutting_down", retryAfter: 1)
            }
            exchange.observer = exchangeOf(key)
            let takesBody = [.chat, .explain, .check].contains(endpoint)
            return .collect(maxBytes: takesBody ? snapshot.policy.server.maxBodyBytes : Self.maxIgnoredBodyBytes)
        } catch {
            let api = exchangeOf(nil)
            api.respond(error, allow: error.status == 405 ? endpoint?.allowedMethods : nil)
            return .answered
        }
    }

    package func handle(_ exchange: ServerExchange) {
        guard let api = exchange.observer as? APIExchange, let endpoint = api.endpoint else { return }
        switch endpoint {
        case .chat: ChatEndpoint.serve(api, created: Timestamp.seconds())
        case .models: ModelsEndpoint.list(api)
        case .model(let id): ModelsEndpoint.one(api, id: id)
        case .explain: ExplainEndpoint.serve(api)
        case .health, .livez, .readyz, .metrics, .reload, .check: operations.serve(endpoint, api, engine, log)
        }
    }

    package func refuse(status: Int, reason: String, head: RequestHead?, exchange: ServerExchange?, remoteHost: String?, eventLoop: any EventLoop) -> (ResponseHead, ByteBuffer) {
        let error = APIError(status, reason, code: Self.code(of: status))
        let loop = engine.loop(of: eventLoop)
        let requestID = RequestID.of(head?.fields ?? HTTPFields(), random: loop.nextRandom())
        let endpoint = head.flatMap { Endpoint(path: $0.path) }
        var answer = ResponseHead(status: status)
        answer.add("x-request-id", requestID)
        answer.add("content-type", "application/json")
        error.addFields(to: &answer)
        var writer = JSONWriter()
        writer.object { error.write(to: &$0) }
        loop.metrics.request(endpoint: endpoint?.name ?? "other", status: status)
        log.write(
            AccessRecord(
                requestID: requestID, endpoint: endpoint?.name ?? "other", method: head?.method.description, path: head?.path, remoteHost: remoteHost,
                key: (exchange?.observer as? APIExchange)?.keyName, status: status, bytesReceived: 0, bytesSent: writer.bytes.count, facts: nil, error: error.code, duration: .zero))
        return (answer, ByteBuffer(bytes: writer.bytes))
    }

    /// A body that comes with a request that needs none.
    private static let maxIgnoredBodyBytes = 64 << 10

    private static func code(of status: Int) -> String {
        switch status {
        case 408: "request_timeout"
        case 413: "body_too_large"
        case 414: "target_too_long"
        case 417: "expectation_failed"
        case 431: "head_too_large"
        case 501, 505: "not_supported"
        default: "bad_request"
        }
    }
}
