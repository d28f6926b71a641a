public import ConfigTree
public import ProviderKit

/// A provider that answers from inside the process: for the first minute, and for seeing retries, fallbacks, breakers and streams at work without any upstream.
public enum DemoPlugin: ProviderPlugin {
    public static let name = "demo"

    public static func readOptions(_ fields: inout FieldReader) -> DemoOptions? {
        DemoOptions(&fields)
    }

    public static func makeProvider(_ options: DemoOptions) -> any Provider {
        DemoProvider(options: options)
    }
}

/// Answers that depend on the request alone, with the number of its tries.
public struct DemoProvider: Provider {
    public let capabilities = Capabilities(operations: [.chat], canContinue: true)
    let options: DemoOptions

    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        UpstreamRequest(target: "/", fields: [], body: [])
    }

    public func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        DemoDecoder(model: call.model, keepsText: call.keepsText)
    }
}
