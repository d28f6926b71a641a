import Codecs
import HTTPWire
import NIOCore
import ProviderKit

/// One provider on one event loop: the loop's translator for it, and the loop's connections to it.
final class LoopProvider {
    let instance: ProviderInstance
    let name: String
    /// A provider value of this loop. If the loops shared the instance's, every request would update its reference
    /// counts from several threads.
    let translator: any Provider
    /// The connections to the upstream; nil for a provider that responds from inside the process.
    let pool: UpstreamPool?
    private let authority: String
    /// The fields that authenticate each request. They are sent to this provider's origin only.
    private var credentials: [(String, String)]
    /// The token in ``credentials`` that comes from a file; nil before the first request, and without such a file.
    private var token: Secret?
    /// The head of the last request. Most providers send the same head with every request.
    private var lastHead: RenderedHead?

    private final class RenderedHead {
        let method: String
        let target: String
        let fields: [HTTPField]
        let head: UpstreamRequestHead

        init(_ request: UpstreamRequest, _ head: UpstreamRequestHead) {
            method = request.method
            target = request.target
            fields = request.fields
            self.head = head
        }
    }

    init(_ instance: ProviderInstance, transport: UpstreamTransport, eventLoop: any EventLoop) {
        self.instance = instance
        name = instance.name
        translator = instance.settings.makeProvider()
        authority = translator.origin?.authority ?? ""
        credentials =
            switch translator.authentication {
            case .fields(let fields), .tokenFile(_, let fields): fields.map(\.revealed)
            }
        pool = translator.origin.map { transport.makePool(origin: $0, poolIdle: instance.poolIdle, eventLoop: eventLoop) }
    }

    var repairs: [Repair] { instance.repairs }

    /// The URL of a request's target, without its query; nil for a provider inside the process.
    func url(of target: String) -> String? {
        translator.origin.map { "\($0.isTLS ? "https" : "http")://\(authority)\(target.prefix { $0 != "?" })" }
    }

    /// Takes the token for the next request from the provider's file, if it has one.
    func renewToken() throws(ProviderError) {
        guard let file = instance.tokenFile else { return }
        guard let token = file.token(now: .now()) else {
            throw ProviderError(.providerRejected, message: "the provider's 'token_file' can't be read, or has no token")
        }
        guard token != self.token else { return }
        self.token = token
        credentials.removeAll { $0.0.lowercased() == "authorization" }
        credentials.append(("authorization", "Bearer \(token.reveal())"))
        lastHead = nil
    }

    /// Sends a request to the upstream. Returns nil if the provider has none.
    func start(
        _ request: UpstreamRequest, clientBody: RequestBody, isStream: Bool, timeouts: UpstreamTimeouts, delegate: any UpstreamDelegate
    ) -> UpstreamCall? {
        pool?.start(message(request, clientBody, isStream: isStream), timeouts: timeouts, delegate: delegate)
    }

    private func message(_ request: UpstreamRequest, _ clientBody: RequestBody, isStream: Bool) -> UpstreamMessage {
        let head = head(of: request)
        let bodyBytes = request.body.reduce(0) { $0 + $1.count(in: clientBody) }
        guard bodyBytes <= UpstreamMessage.copyLimit, clientBody.file == nil else {
            let pieces = request.body.map { source -> BodyPiece in
                switch source {
                case .bytes(let bytes): .bytes(ByteBuffer(bytes: bytes))
                case .client(let range): clientBody[range]
                }
            }
            return UpstreamMessage(head, pieces: pieces, isResponseBuffered: !isStream)
        }
        return UpstreamMessage(head, bodyBytes: bodyBytes, isResponseBuffered: !isStream) {
            [body = request.body, clientBytes = clientBody.bytes] start in
            for source in body {
                switch source {
                case .bytes(let bytes): start.writeBytes(bytes)
                case .client(let range):
                    clientBytes.withUnsafeReadableBytes {
                        _ = start.writeBytes(UnsafeRawBufferPointer(rebasing: $0[range.clamped(to: $0.indices)]))
                    }
                }
            }
        }
    }

    /// The request's head for this provider, with its credentials.
    private func head(of request: UpstreamRequest) -> UpstreamRequestHead {
        if let last = lastHead, last.fields == request.fields, last.target == request.target, last.method == request.method {
            return last.head
        }
        let head = UpstreamRequestHead(
            method: request.method, target: request.target, authority: authority, fields: request.fields.map(\.revealed) + credentials)
        lastHead = RenderedHead(request, head)
        return head
    }
}

extension HTTPField {
    /// The name and the value, also if it is a secret.
    fileprivate var revealed: (String, String) {
        switch value {
        case .plain(let value): (name, value)
        case .secret(let value): (name, value.reveal())
        }
    }
}

extension BodySource {
    fileprivate func count(in clientBody: RequestBody) -> Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .client(let range): range.clamped(to: 0..<clientBody.count).count
        }
    }
}
