import Codecs
import HTTPWire
import NIOCore
package import ProviderKit

/// One provider on one event loop: the loop's translator for it, and the loop's connections to it.
final class LoopProvider {
    let instance: ProviderInstance
    let name: String
    /// A provider value of this loop. If the loops shared the instance's, every request would update its reference
    /// counts from several threads.
    let translator: any Provider
    /// The connections to the upstream; nil for a provider that responds from inside the process.
    let pool: UpstreamPool?
    private let contract: PluginContract
    private let authority: String
    /// Those of the instance, in an array of this loop.
    private let credentials: [ProviderCredential]
    /// The fields of each request beside its credential. They are sent to this provider's origin only.
    private let fields: [(String, String)]
    /// The head of the last request with each credential. Most providers send the same head with every request.
    private var lastHeads: [RenderedHead?]

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

    /// - Parameter watch: watches the calls of the provider; nil if its plugin is built in.
    init(_ instance: ProviderInstance, watch: HookWatch?, transport: UpstreamTransport, eventLoop: any EventLoop) {
        self.instance = instance
        name = instance.name
        if let watch {
            translator = WatchedProvider(watch.run(.makeProvider) { instance.settings.makeProvider() }, watch)
            contract = watch.contract
        } else {
            translator = instance.settings.makeProvider()
            contract = PluginContract(provider: name)
        }
        authority = translator.origin?.authority ?? ""
        fields = translator.authentication.fields.map(\.revealed)
        credentials = instance.credentials.map { $0 }
        lastHeads = Array(repeating: nil, count: max(1, credentials.count))
        pool = translator.origin.map { transport.makePool(origin: $0, poolIdle: instance.poolIdle, eventLoop: eventLoop) }
    }

    var repairs: [Repair] { instance.repairs }

    /// The URL of a request's target, without its query; nil for a provider inside the process.
    func url(of target: String) -> String? {
        translator.origin.map { "\($0.isTLS ? "https" : "http")://\(authority)\(target.prefix { $0 != "?" })" }
    }

    /// The response of a provider inside the process.
    func response(to call: Call, body: RawSpan) throws(ProviderError) -> LocalResponse {
        let response = translator.response(to: call, body: body)
        try contract.check(response)
        return response
    }

    /// Sends a request to the upstream. Returns nil if the provider has none.
    ///
    /// - Parameters:
    ///   - key: the position of the request's credential.
    ///   - trace: the request's place in a trace; nil if it has none.
    func start(
        _ request: UpstreamRequest, key: Int, clientBody: RequestBody, isStream: Bool, trace: TraceFields? = nil,
        timeouts: UpstreamTimeouts, delegate: any UpstreamDelegate
    ) throws(ProviderError) -> UpstreamCall? {
        guard let pool else { return nil }
        return pool.start(
            try message(request, key, clientBody, isStream: isStream, trace), timeouts: timeouts, delegate: delegate)
    }

    private func message(
        _ request: UpstreamRequest, _ key: Int, _ clientBody: RequestBody, isStream: Bool, _ trace: TraceFields?
    ) throws(ProviderError) -> UpstreamMessage {
        try contract.check(request, clientBytes: clientBody.count)
        let head = try head(of: request, key, clientBody)
        let bodyBytes = request.body.reduce(0) { $0 + $1.count }
        guard bodyBytes <= UpstreamMessage.copyLimit, clientBody.file == nil else {
            let pieces = request.body.map { source -> BodyPiece in
                switch source {
                case .bytes(let bytes): .bytes(ByteBuffer(bytes: bytes))
                case .client(let range): clientBody[range]
                }
            }
            return UpstreamMessage(head, pieces: pieces, isResponseBuffered: !isStream, trace: trace)
        }
        return UpstreamMessage(head, bodyBytes: bodyBytes, isResponseBuffered: !isStream, trace: trace) {
            [body = request.body, clientBytes = clientBody.bytes] start in
            for source in body {
                switch source {
                case .bytes(let bytes): start.writeBytes(bytes)
                case .client(let range):
                    clientBytes.withUnsafeReadableBytes { _ = start.writeBytes(UnsafeRawBufferPointer(rebasing: $0[range])) }
                }
            }
        }
    }

    /// The request's head for this provider, with its credential.
    private func head(of request: UpstreamRequest, _ key: Int, _ clientBody: RequestBody) throws(ProviderError) -> UpstreamRequestHead {
        let isFixed = credentials.isEmpty || credentials[key].isFixed
        if isFixed, let last = lastHeads[key], last.fields == request.fields, last.target == request.target, last.method == request.method {
            return last.head
        }
        let credential = credentials.isEmpty ? [] : try credentials[key].fields(for: request, authority, clientBody)
        let head = UpstreamRequestHead(
            method: request.method, target: request.target, authority: authority,
            fields: request.fields.map(\.revealed) + credential + fields)
        if isFixed { lastHeads[key] = RenderedHead(request, head) }
        return head
    }
}

extension HTTPField {
    /// The name and the value, also if it is a secret.
    package var revealed: (String, String) {
        switch value {
        case .plain(let value): (name, value)
        case .secret(let value): (name, value.reveal())
        }
    }
}

extension BodySource {
    fileprivate var count: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .client(let range): range.count
        }
    }
}
