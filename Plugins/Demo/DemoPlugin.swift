public import ConfigTree
public import ProviderKit

/// A provider that answers from inside the process: for the first minute, and for seeing fallbacks and streams at work without any upstream.
public enum DemoPlugin: ProviderPlugin {
    public static let name = "demo"

    public static func readOptions(_ fields: inout FieldReader) -> DemoOptions? {
        DemoOptions(
            chunks: fields.int("chunks", in: 1...100_000), delay: fields.duration("delay", in: .zero ... .seconds(600)) ?? .zero, failStatus: fields.int("fail", in: 300...599))
    }

    public static func makeProvider(_ options: DemoOptions) -> any Provider {
        DemoProvider(options: options)
    }
}

public struct DemoOptions: Sendable, Equatable {
    /// How many pieces a streamed answer comes in; nil: one for each word.
    public var chunks: Int?
    /// Before each piece.
    public var delay: Duration
    /// Answers every call with this status instead.
    public var failStatus: Int?
}

/// Answers that depend on the request alone.
public struct DemoProvider: Provider {
    public let capabilities = Capabilities(operations: [.chat])
    let options: DemoOptions

    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        UpstreamRequest(target: "/", fields: [], body: [])
    }

    public func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any AnswerDecoder {
        DemoDecoder(model: call.model)
    }
}
