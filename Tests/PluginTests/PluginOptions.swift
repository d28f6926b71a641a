import Codecs
import ConfigTree
import OpenAI
import ProviderKit
import Testing

/// The options of a plugin, as a policy file has them.
struct PluginOptions: ExpressibleByDictionaryLiteral, Sendable {
    enum Value: ExpressibleByStringLiteral, ExpressibleByArrayLiteral, Sendable {
        case text(String)
        case list([String])

        init(stringLiteral text: String) { self = .text(text) }
        init(arrayLiteral items: String...) { self = .list(items) }
    }

    var values: [(String, Value)]

    init(dictionaryLiteral values: (String, Value)...) { self.values = values }

    private var fields: FieldReader {
        func scalar(_ text: String) -> ConfigNode { ConfigNode(.scalar(ConfigScalar(text)), at: .start) }
        let entries = values.map { key, value in
            let node =
                switch value {
                case .text(let text): scalar(text)
                case .list(let items): ConfigNode(.sequence(items.map(scalar)), at: .start)
                }
            return ConfigEntry(key: ConfigText(key, at: .start), value: node)
        }
        return FieldReader(entries, at: .start)
    }

    func provider<Plugin: ProviderPlugin>(of plugin: Plugin.Type, sourceLocation: SourceLocation = #_sourceLocation) throws -> any Provider
    {
        var fields = fields
        let options = plugin.readOptions(&fields)
        return plugin.makeProvider(try #require(options, "\(fields.issues)", sourceLocation: sourceLocation))
    }

    /// The messages of the issues, those about unknown keys included.
    func issues(of plugin: any ProviderPlugin.Type) -> [String] {
        var fields = fields
        _ = plugin.readOptions(&fields)
        return fields.finish().map(\.message)
    }
}

extension OpenAIOptions {
    /// The options of OpenAI with nothing but a key.
    static var sample: OpenAIOptions {
        let key = ConfigEntry(
            key: ConfigText("api_key", at: .start), value: ConfigNode(.scalar(ConfigScalar("sk-0123456789abcdef")), at: .start))
        var fields = FieldReader([key], at: .start)
        guard let options = OpenAIPlugin.readOptions(&fields) else { preconditionFailure("\(fields.issues)") }
        return options
    }
}

extension Provider {
    /// The target and the body of a request that passes through.
    func sent(
        _ body: String, _ operation: ProviderKit.Operation = .chat, as format: WireFormat? = nil, model: String = "up",
        isStream: Bool = false,
        continuation: String? = nil, defaults: [BodyField] = [], overrides: [BodyField] = [], repairs: [Repair] = []
    ) throws -> (target: String, body: String) {
        let bytes = Array(body.utf8), format = format ?? formats(for: operation, model: model).first ?? WireFormat("none")
        let call = Call(
            operation: operation, model: model, isStream: isStream, format: format,
            payload: .members(try JSON.members(of: bytes.span.bytes)), defaults: defaults, overrides: overrides, continuation: continuation,
            repairs: repairs)
        return try sent(call, bytes)
    }

    /// The target and the body of a translated request.
    func sent(
        _ chat: ChatRequest, model: String = "up", isStream: Bool = false, repairs: [Repair] = []
    ) throws -> (target: String, body: String) {
        try sent(.typed(chat, model: model, isStream: isStream, repairs: repairs), [])
    }

    func sent(_ call: Call, _ bytes: [UInt8]) throws -> (target: String, body: String) {
        let request = try request(for: call, body: bytes.span.bytes)
        let body = request.body.flatMap { source -> [UInt8] in
            switch source {
            case .bytes(let bytes): bytes
            case .client(let range): Array(bytes[range])
            }
        }
        return (request.target, String(decoding: body, as: UTF8.self))
    }

    /// The fields of a request, with their values.
    func fields() throws -> [String: String] {
        let none: [UInt8] = []
        let request = try request(for: .typed(ChatRequest(messages: [ChatMessage(.user, "hi")])), body: none.span.bytes)
        let pairs = request.fields.map { field -> (String, String) in
            switch field.value {
            case .plain(let value): (field.name, value)
            case .secret(let value): (field.name, value.reveal())
            }
        }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    /// The repair of a request that passes through and is refused with this body.
    func repair(_ body: String, refusedWith refusal: String, status: Int = 400) throws -> Repair? {
        let bytes = Array(body.utf8), refused = Array(refusal.utf8)
        let format = try #require(formats(for: .chat, model: "up").first)
        let call = Call(
            operation: .chat, model: "up", isStream: false, format: format, payload: .members(try JSON.members(of: bytes.span.bytes)))
        let error = failure(head: UpstreamHead(status: status), body: refused.span.bytes)
        return repair(of: call, body: bytes.span.bytes, refusedWith: error, refusal: refused.span.bytes)
    }

    /// The events of a translated response, and the error that ends it.
    func events(
        _ bytes: [UInt8], isStream: Bool = true, form: BodyForm? = nil, model: String = "up"
    ) -> (events: [ChatEvent], usage: Usage?, error: ProviderError?) {
        let head = UpstreamHead(status: 200, bodyForm: form ?? (isStream ? .eventStream : .jsonObject))
        var sink = ResponseSink()
        do throws(ProviderError) {
            var decoder = try decoder(for: .typed(ChatRequest(messages: []), model: model, isStream: isStream), head: head)
            let consumed = try decoder.decode(bytes.span.bytes, into: &sink)
            if !sink.isComplete { try decoder.finish(bytes.span.bytes.extracting(consumed..<bytes.count), into: &sink) }
        } catch {
            return (sink.events, sink.usage, error)
        }
        return (sink.events, sink.usage, nil)
    }
}

extension Call {
    /// A call of a client with another format.
    static func typed(_ chat: ChatRequest, model: String = "up", isStream: Bool = false, repairs: [Repair] = []) -> Call {
        Call(
            operation: .chat, model: model, isStream: isStream, format: WireFormat("other"), payload: .chat(chat), repairs: repairs,
            provider: "p")
    }
}

extension ResponseSink {
    fileprivate var events: [ChatEvent] { parts.compactMap { if case .event(let event) = $0 { event } else { nil } } }
}

/// Whether two texts are the same JSON, apart from the order of members.
func isSameJSON(_ text: String, _ other: String) -> Bool {
    func sorted(_ tree: JSONTree) -> JSONTree {
        switch tree {
        case .object(let members):
            .object(
                members.map { JSONTree.Member(key: $0.key, value: sorted($0.value)) }.sorted { $0.name < $1.name })
        case .array(let elements): .array(elements.map(sorted))
        case .string, .scalar: tree
        }
    }
    guard let one = JSONTree(Array(text.utf8).span.bytes), let two = JSONTree(Array(other.utf8).span.bytes) else { return false }
    return sorted(one) == sorted(two)
}
