import Codecs
package import Engine
package import HTTPWire
package import NIOCore
import ProviderKit
import RoutingPolicy
import Synchronization
package import Telemetry

/// The server's handler: it finds each request's endpoint, authenticates the client and calls the endpoint.
package final class GatewayHandler: ServerHandler {
    let engine: Engine
    let admin: AdminActions
    private let ready = Atomic(true)
    private let draining = Atomic(false)
    /// In seconds since 1970.
    let startedAt = Timestamp.seconds()
    /// The server whose requests this handles; nil before `serves`.
    private let server = Mutex<Server?>(nil)
    private let certificateFigures = Mutex<@Sendable () -> [CertificateFigures]>({ [] })

    package init(engine: Engine, admin: AdminActions) {
        self.engine = engine
        self.admin = admin
    }

    /// False from the start of a shutdown on.
    var isReady: Bool { ready.load(ordering: .acquiring) }

    /// Tells which server this handles the requests of, and which certificates it has, for the metrics.
    package func serves(_ server: Server, certificates: @escaping @Sendable () -> [CertificateFigures] = { [] }) {
        self.server.withLock { $0 = server }
        certificateFigures.withLock { $0 = certificates }
    }

    /// The connections of clients.
    var openConnections: Int { server.withLock { $0 }?.openConnections ?? 0 }

    /// The certificates of the listeners.
    var certificates: [CertificateFigures] { certificateFigures.withLock { $0 }() }

    /// Whether the process is shutting down.
    var isDraining: Bool { draining.load(ordering: .acquiring) }

    /// From now on `/readyz` responds with 503. Requests are still served.
    package func becomeUnready() { ready.store(false, ordering: .releasing) }

    /// From now on requests that call models are refused with `shutting_down`.
    package func startDraining() { draining.store(true, ordering: .releasing) }

    package func accept(_ server: ServerExchange) -> BodyPlan {
        let loop = engine.loop(of: server.eventLoop)
        let snapshot = loop.snapshot
        let match = EndpointTable.match(path: server.head.path)
        let requestID = RequestID.of(server.head.fields, random: loop.nextRandom())
        @inline(never)
        func exchange(_ key: Int?) -> Exchange {
            Exchange(
                server, self, match?.endpoint, pathParameter: match?.parameter, requestID: requestID, key: key, loop: loop,
                snapshot: snapshot)
        }
        do throws(APIError) {
            if snapshot.policy.keys.isEmpty {
                var origins: [String] = []
                server.head.fields.forEachSlice("origin") { origins.append(String(buffer: $0)) }
                try BrowserAccess.check(
                    host: server.head.host, origins: origins, isLocalSocket: server.isLocalSocket, snapshot.policy)
            }
            guard let endpoint = match?.endpoint else { throw .unknownEndpoint(server.head.path) }
            if case .options = server.head.method {
                exchange(nil).respond(
                    204, [],
                    fields: {
                        $0.add("allow", endpoint.method.allowed)
                        BrowserAccess.addPreflightFields(
                            for: server.head.fields, snapshot.policy.server.cors, methods: endpoint.method.allowed, to: &$0)
                    })
                return .responded
            }
            guard endpoint.method.matches(server.head.method) else {
                throw Self.refusal(ofMethod: server.head, endpoint, pathParameter: match?.parameter)
            }
            let key =
                endpoint.access == .open
                ? nil : try Authentication.key(of: server, face: .of(endpoint, path: server.head.path, server.head.fields), in: snapshot)
            try Authentication.authorize(key, for: endpoint.access, in: snapshot)
            try Self.refuseContentEncoding(server.head.fields)
            if endpoint.callsModels, isDraining {
                server.closesConnection = true
                throw APIError(503, "the router is shutting down; retry the request", code: "shutting_down", retryAfter: 1)
            }
            // A list is made only if it can be kept until its client reads it. Operators get theirs, to see why.
            guard endpoint.callsModels || endpoint.isAdministrative || server.hasRoom(for: Self.largeListBytes) else { throw .buffersFull }
            let accepted = exchange(key)
            server.observer = accepted
            guard let limit = try Self.bodyLimit(of: accepted, endpoint.body) else {
                endpoint.serve(accepted)
                return .responded
            }
            guard endpoint.callsModels, let admission = KeyAdmission.make(loop: loop, snapshot: snapshot, key: accepted.key) else {
                return .collect(limit)
            }
            return Self.admit(accepted, by: admission, limit)
        } catch {
            exchange(nil).respond(error, allow: error.status == 405 ? match?.endpoint.method.allowed : nil)
            return .responded
        }
    }

    /// The error for a method that the endpoint at the path doesn't accept.
    private static func refusal(ofMethod head: RequestHead, _ endpoint: Endpoint, pathParameter: String?) -> APIError {
        if ForeignPath.advice(for: head.path) != nil { return .unknownEndpoint(head.path) }
        // Other methods of Gemini's models look like a part of the model's name.
        if let pathParameter, Face.of(endpoint, path: head.path, head.fields) === Face.gemini,
            let error = APIError.unknownMethod(pathParameter)
        {
            return error
        }
        return APIError(
            405,
            "this endpoint does not accept the method '\(head.method.description.excerpt)'; it accepts \(endpoint.method.allowed)",
            code: "method_not_allowed")
    }

    /// The room that must be left for a list.
    private static let largeListBytes = 128 << 10

    /// What the request's body may be; nil if it isn't read. A form is read from now on.
    private static func bodyLimit(of exchange: Exchange, _ body: Endpoint.Body) throws(APIError) -> BodyLimit? {
        let server = exchange.snapshot.policy.server, fields = exchange.server.head.fields
        switch body {
        case .unread: return nil
        case .ignored: return BodyLimit(maxBytes: maxIgnoredBodyBytes)
        case .buffered: return BodyLimit(maxBytes: server.maxBodyBytes)
        case .form:
            guard let type = fields.value("content-type"), type.lowercased().hasPrefix("multipart/") else {
                return BodyLimit(maxBytes: server.maxBodyBytes)
            }
            do throws(MultipartError) { exchange.form = try MultipartReader(contentType: type) } catch { throw APIError(error) }
            return BodyLimit(maxBytes: server.maxUploadBytes, isUpload: true)
        }
    }

    /// Checks the limits of the client's key before the body is read.
    private static func admit(_ exchange: Exchange, by admission: KeyAdmission, _ limit: BodyLimit) -> BodyPlan {
        exchange.admission = admission
        let progress = admission.begin { [unowned exchange] failure in
            if let failure { return exchange.respond(APIError(failure, failures: [])) }
            exchange.server.collectBody(limit)
        }
        switch progress {
        case .admitted: return .collect(limit)
        case .waiting: return .wait
        case .refused(let failure):
            exchange.respond(APIError(failure, failures: []))
            return .responded
        }
    }

    package func handle(_ server: ServerExchange) {
        guard let exchange = server.observer as? Exchange else { return }
        exchange.endpoint?.serve(exchange)
    }

    package func refuse(
        _ fault: WireFault, head: RequestHead?, exchange: ServerExchange?, remoteHost: String?, eventLoop: any EventLoop
    ) -> (ResponseHead, ByteBuffer) {
        let refused = exchange?.observer as? Exchange
        refused?.admission?.abandon()
        let status = fault.status
        let error = APIError(status, fault.reason, code: fault.code ?? Self.code(of: status), retryAfter: status == 503 ? 1 : nil)
        let loop = engine.loop(of: eventLoop)
        let requestID = RequestID.of(head?.fields ?? HTTPFields(), random: loop.nextRandom()).text
        let endpoint = head.flatMap { EndpointTable.match(path: $0.path)?.endpoint }
        var response = ResponseHead(status: status)
        response.add("x-request-id", requestID)
        response.add("content-type", "application/json")
        if status == 426 { response.add("upgrade", "HTTP/1.1") }  // required by RFC 9110, section 15.5.22
        if let head { BrowserAccess.addFields(for: head.fields, loop.snapshot.policy.server.cors, to: &response) }
        error.addFields(to: &response)
        var writer = JSONWriter()
        let face = Face.of(endpoint, path: head?.path ?? "", head?.fields ?? HTTPFields())
        face.writeError(error, requestID, nil, &writer)
        loop.observer?.ended(
            RequestRecord(
                requestID: loop.snapshot.mask(requestID), endpoint: endpoint?.name ?? EndpointTable.otherName,
                isAdministrative: endpoint?.isAdministrative ?? false, method: head?.method.description,
                path: (head?.path).map { loop.snapshot.mask($0) },
                remoteHost: remoteHost, key: refused?.keyName, status: status, bytesReceived: 0, bytesSent: writer.bytes.count,
                error: error.code, message: loop.snapshot.mask(error.message), trace: refused?.trace,
                spanSource: refused?.spanSource(hasFailed: true),
                duration: .zero))
        return (response, ByteBuffer(bytes: writer.bytes))
    }

    /// The limit for the body of a request to an endpoint that ignores bodies.
    private static let maxIgnoredBodyBytes = 64 << 10

    private static func refuseContentEncoding(_ fields: HTTPFields) throws(APIError) {
        guard fields.contains("content-encoding"), let encoding = fields.value("content-encoding"), encoding.lowercased() != "identity"
        else { return }
        throw APIError(
            415, "the content-encoding '\(encoding.excerpt)' is not supported; send the body without an encoding",
            code: "unsupported_content_encoding")
    }

    private static func code(of status: Int) -> String {
        switch status {
        case 408: "request_timeout"
        case 413: "body_too_large"
        case 414: "target_too_long"
        case 417: "expectation_failed"
        case 426: "upgrade_not_supported"
        case 431: "head_too_large"
        case 501, 505: "not_supported"
        default: "bad_request"
        }
    }
}
