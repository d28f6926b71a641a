public import ConfigTree
import Glibc
public import ProviderKit

@_cdecl("llm_router_plugin")
public func llmRouterPlugin() -> UnsafeMutableRawPointer {
    Fault.check(.entry)
    return PluginExport.pointer(to: MisbehavingPlugin.self)
}

/// What the library does wrong while it is loaded. A test writes another word into its bytes.
enum Fault: String {
    case entry = "entry---"
    case options = "options-"
    case provider = "provider"
    case property = "property"
    case formats = "formats-"
    /// An option is required, and the provider can't be made of it.
    case required = "required"
    case exit = "exits---"
    case sleep = "sleeps--"
    case secret = "secrets-"
    case file = "files---"
    case output = "outputs-"

    private static let chosen = "the fault of the library: none----"

    static func isChosen(_ fault: Fault) -> Bool { chosen.hasSuffix(fault.rawValue) }

    /// Does it, if it is the chosen one.
    static func check(_ place: Fault) {
        guard let fault = Fault(rawValue: String(chosen.suffix(8))) else { return }
        switch fault {
        case .entry, .options, .provider, .property, .formats: if fault == place { fatalError("the fault \(fault.rawValue)") }
        case .required: if place == .provider { fatalError("the fault \(fault.rawValue)") }
        case .exit: Glibc.exit(3)
        case .sleep: while true { pause() }
        case .secret: if getenv("PROBE_CANARY") != nil { fatalError("a variable of the router") }
        case .file: if (4..<256).contains(where: { fcntl($0, F_GETFD) >= 0 }) { fatalError("a file of the router") }
        case .output: for _ in 0..<10_000 { write(2, [UInt8](repeating: 0x78, count: 1000), 1000) }
        }
    }
}

/// A provider whose model's name says what it does wrong, for tests of what the router contains.
public enum MisbehavingPlugin: ProviderPlugin {
    public static let name = "misbehaving"

    public static func readOptions(_ fields: inout FieldReader) -> MisbehavingOptions? {
        Fault.check(.options)
        if Fault.isChosen(.required), fields.string("region", required: true) == nil { return nil }
        return MisbehavingOptions(hasServer: fields.bool("has_server") ?? false)
    }

    public static func makeProvider(_ options: MisbehavingOptions) -> any Provider {
        Fault.check(.provider)
        return MisbehavingProvider(options: options)
    }
}

public struct MisbehavingOptions: Sendable, Equatable {
    /// Whether there is an address. Nothing listens on it.
    var hasServer: Bool
}

struct MisbehavingProvider: Provider {
    let options: MisbehavingOptions

    var canContinue: Bool {
        Fault.check(.property)
        return false
    }

    var origin: Origin? { options.hasServer ? Origin(isTLS: false, host: "127.0.0.1", port: 1) : nil }

    func formats(for operation: ProviderKit.Operation, model: String) -> [WireFormat] {
        Fault.check(.formats)
        return operation == .chat ? [WireFormat(["ranges", "counts"].contains(model) ? "openai-chat" : "misbehaving")] : []
    }

    func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        let message = ProviderError(.upstreamError, message: "thrown in request")
        guard call.model == "beyond" else { throw message }
        return UpstreamRequest(target: "/", fields: [], body: [.client(body.byteCount - 1..<body.byteCount + 1)])
    }

    func response(to call: Call, body: RawSpan) -> LocalResponse {
        if call.model == "block-response" { usleep(1_600_000) }
        let head = UpstreamHead(status: 200, fields: [HTTPField("content-type", "text/event-stream")])
        var chunks = [LocalResponse.Chunk(bytes: Array("data: {}\n\n".utf8))]
        if call.model.hasPrefix("never") { chunks.append(.init(delay: .seconds(600), bytes: [0])) }
        return LocalResponse(head: head, chunks: chunks)
    }

    func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        if call.model == "gone-decoder" { throw ProviderError(.cancelled, message: "gone") }
        if call.model == "throw-decoder" { throw ProviderError(.upstreamError, message: "thrown in decoder") }
        return MisbehavingDecoder(model: call.model)
    }
}

private struct MisbehavingDecoder: ResponseDecoder {
    let model: String

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
        switch model {
        case "throw-decode": throw ProviderError(.upstreamError, message: "thrown in decode")
        case "gone-decode": throw ProviderError(.cancelled, message: "gone")
        case "never-text": response.event(.text("text"))
        case "large": response.event(.text(String(repeating: "x", count: 65 << 20)))
        case "counts": for _ in 0..<3 { response.chunk(joined: Array("{}".utf8), signals: Signals(contentBytes: .max, finishes: .max)) }
        case "block-decode": usleep(1_600_000)
        case "flood":
            let text = String(repeating: "x", count: 1 << 20)
            for _ in 0..<1024 { response.event(.text(text)) }
        case "ranges": response.chunk(PassthroughChunk(json: 1000..<2000, frame: nil, signals: Signals(contentBytes: 1)))
        case "late":
            response.event(.text("before"))
            response.event(.finish(.stop))
            response.complete()
            response.event(.text("after"))
        case "count": return 1 << 40
        case "unfinished", "unfinished-end":
            response.event(.text("text"))
            if model == "unfinished" { response.complete() }
        case "unfinished-tool":
            response.event(.toolCall(index: 0, id: "t", name: "look"))
            response.event(.toolArguments(index: 0, fragment: "{}"))
            response.complete()
        case "served":
            response.served(by: .model(String(repeating: "x", count: 1 << 20)))
            response.event(.text("text"))
            response.complete()
        case "finishes": for _ in 0..<100_000 { response.event(.finish(.stop)) }
        default: break
        }
        return bytes.byteCount
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        if model == "throw-finish" { throw ProviderError(.upstreamError, message: "thrown in finish") }
    }
}
