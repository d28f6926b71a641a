import ProviderKit

/// A provider of a plugin that is not built in, on one event loop: its calls are marked for the watchdog, and what it
/// returns is checked. It forwards every requirement of ``Provider``, also those that have a default.
struct WatchedProvider: Provider {
    private let provider: any Provider
    private let watch: HookWatch

    init(_ provider: any Provider, _ watch: HookWatch) {
        self.provider = provider
        self.watch = watch
    }

    var canContinue: Bool { watch.run(.canContinue) { provider.canContinue } }
    var origin: Origin? { watch.run(.origin) { provider.origin } }
    var authentication: Authentication { watch.run(.authentication) { provider.authentication } }
    var secrets: [Secret] { watch.run(.secrets) { provider.secrets } }

    func formats(for operation: ProviderKit.Operation, model: String) -> [WireFormat] {
        watch.run(.formats) { provider.formats(for: operation, model: model) }
    }

    func optionalFormats(for operation: ProviderKit.Operation, model: String) -> [WireFormat] {
        watch.run(.optionalFormats) { provider.optionalFormats(for: operation, model: model) }
    }

    func modelsRequest() -> UpstreamRequest? { watch.run(.modelsRequest) { provider.modelsRequest() } }

    func detailsRequest(for model: ListedModel) -> UpstreamRequest? {
        watch.run(.detailsRequest) { provider.detailsRequest(for: model) }
    }

    // A span can't be captured by a closure.

    func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        watch.begin(.request)
        defer { watch.end() }
        do { return try provider.request(for: call, body: body) } catch { throw watch.contract.checked(error) }
    }

    func response(to call: Call, body: RawSpan) -> LocalResponse {
        watch.begin(.response)
        defer { watch.end() }
        return provider.response(to: call, body: body)
    }

    func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        watch.begin(.decoder)
        defer { watch.end() }
        do { return WatchedDecoder(try provider.decoder(for: call, head: head), watch) } catch { throw watch.contract.checked(error) }
    }

    func failure(head: UpstreamHead, body: RawSpan) -> ProviderError {
        watch.begin(.failure)
        defer { watch.end() }
        return watch.contract.checked(provider.failure(head: head, body: body))
    }

    func repair(of call: Call, body: RawSpan, refusedWith error: ProviderError, refusal: RawSpan) -> Repair? {
        watch.begin(.repair)
        defer { watch.end() }
        return provider.repair(of: call, body: body, refusedWith: error, refusal: refusal)
    }

    func modelsRequest(after page: RawSpan) -> UpstreamRequest? {
        watch.begin(.nextModels)
        defer { watch.end() }
        return provider.modelsRequest(after: page)
    }

    func models(from body: RawSpan) throws(ProviderError) -> [ListedModel] {
        watch.begin(.models)
        defer { watch.end() }
        do { return try provider.models(from: body) } catch { throw watch.contract.checked(error) }
    }

    func model(_ model: ListedModel, from body: RawSpan) throws(ProviderError) -> ListedModel {
        watch.begin(.model)
        defer { watch.end() }
        do { return try provider.model(model, from: body) } catch { throw watch.contract.checked(error) }
    }
}

/// The mark of an event loop, for the calls of one provider.
struct HookWatch: Sendable {
    private let mark: PluginWatch.Mark
    /// The provider's number in the watch.
    private let owner: Int
    let contract: PluginContract

    init(mark: PluginWatch.Mark, owner: Int, plugin: String) {
        self.mark = mark
        self.owner = owner
        contract = PluginContract(plugin: plugin)
    }

    func begin(_ hook: PluginWatch.Hook) { mark.begin(hook, of: owner) }

    func end() { mark.end() }

    func run<Value>(_ hook: PluginWatch.Hook, _ call: () -> Value) -> Value {
        begin(hook)
        defer { end() }
        return call()
    }
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
        let result: Result<Int, ProviderError>
        do { result = .success(try decoder.decode(bytes, into: &response)) } catch { result = .failure(watch.contract.checked(error)) }
        // What was added before an error is used too.
        try watch.contract.check(&response, ofBytes: bytes.byteCount)
        return try result.get()
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        watch.begin(.finish)
        defer { watch.end() }
        let result: Result<Void, ProviderError>
        do { result = .success(try decoder.finish(bytes, into: &response)) } catch { result = .failure(watch.contract.checked(error)) }
        try watch.contract.check(&response, ofBytes: bytes.byteCount)
        try result.get()
    }
}
