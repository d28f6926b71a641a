import ProviderKit

/// A provider of a plugin that is not built in, on one event loop: its calls are marked for the watchdog, and what it
/// returns is checked where it could crash the process. It forwards every requirement of ``Provider``, also those that
/// have a default.
struct WatchedProvider: Provider {
    private let provider: any Provider
    private let watch: HookWatch

    init(_ provider: any Provider, _ watch: HookWatch) {
        self.provider = provider
        self.watch = watch
    }

    var canContinue: Bool { provider.canContinue }
    var origin: Origin? { provider.origin }
    var authentication: Authentication { provider.authentication }
    var secrets: [Secret] { provider.secrets }

    func formats(for operation: ProviderKit.Operation, model: String) -> [WireFormat] { provider.formats(for: operation, model: model) }

    func optionalFormats(for operation: ProviderKit.Operation, model: String) -> [WireFormat] {
        provider.optionalFormats(for: operation, model: model)
    }

    func modelsRequest() -> UpstreamRequest? { provider.modelsRequest() }
    func detailsRequest(for model: ListedModel) -> UpstreamRequest? { provider.detailsRequest(for: model) }

    func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        watch.begin(.request)
        defer { watch.end() }
        return try provider.request(for: call, body: body)
    }

    func response(to call: Call, body: RawSpan) -> LocalResponse {
        watch.begin(.response)
        defer { watch.end() }
        return provider.response(to: call, body: body)
    }

    func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        watch.begin(.decoder)
        defer { watch.end() }
        return WatchedDecoder(try provider.decoder(for: call, head: head), watch)
    }

    func failure(head: UpstreamHead, body: RawSpan) -> ProviderError {
        watch.begin(.failure)
        defer { watch.end() }
        return provider.failure(head: head, body: body)
    }

    func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        watch.begin(.repair)
        defer { watch.end() }
        return provider.repair(of: call, body: body, refusedWith: error, refusal: refusal)
    }

    func models(from body: RawSpan) throws(ProviderError) -> [ListedModel] {
        watch.begin(.models)
        defer { watch.end() }
        return try provider.models(from: body)
    }

    func model(_ model: ListedModel, from body: RawSpan) throws(ProviderError) -> ListedModel {
        watch.begin(.model)
        defer { watch.end() }
        return try provider.model(model, from: body)
    }
}

/// The mark of an event loop, for the calls of one provider.
struct HookWatch: Sendable {
    let mark: PluginWatch.Mark
    /// The provider's number in the watch.
    let owner: Int
    let plugin: String

    func begin(_ hook: PluginWatch.Hook) { mark.begin(hook, of: owner) }

    func end() { mark.end() }
}

/// A decoder of a plugin that is not built in.
private struct WatchedDecoder: ResponseDecoder {
    private var decoder: any ResponseDecoder
    private let watch: HookWatch

    init(_ decoder: any ResponseDecoder, _ watch: HookWatch) {
        self.decoder = decoder
        self.watch = watch
    }

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
        watch.begin(.decode)
        defer { watch.end() }
        let consumed = try decoder.decode(bytes, into: &response)
        try check(&response, bytes)
        return consumed
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        watch.begin(.finish)
        defer { watch.end() }
        try decoder.finish(bytes, into: &response)
        try check(&response, bytes)
    }

    private func check(_ response: inout ResponseSink, _ bytes: RawSpan) throws(ProviderError) {
        let problem: String
        if response.isOverfull {
            problem = "emits more than \(ResponseSink.maxEventBytes >> 20) MiB at once"
        } else if response.parts.contains(where: { !$0.isInside(bytes.byteCount) }) {
            problem = "emits bytes that it was not given"
        } else {
            return
        }
        response.removeParts()
        throw ProviderError(.upstreamError, message: "the plugin '\(watch.plugin)' \(problem)", code: "plugin_misbehaves")
    }
}

extension ResponsePart {
    /// Whether the part's ranges are in a read of so many bytes.
    fileprivate func isInside(_ count: Int) -> Bool {
        func isInside(_ range: Range<Int>) -> Bool { range.lowerBound >= 0 && range.upperBound <= count }
        return switch self {
        case .chunk(let chunk): isInside(chunk.json) && chunk.frame.map(isInside) ?? true
        case .buffered(let range, _), .payload(let range, _, _): isInside(range)
        case .joined, .event, .embeddings, .count: true
        }
    }
}
