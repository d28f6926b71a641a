import ConfigTree
import ProviderKit

extension ExpectedRequest {
    static let section = OptionSection<ExpectedRequest>(
        "request", "the request of a test", shape + RoutingOverride.all.map(overriding) + rest)

    private static let shape: [Option<ExpectedRequest>] = [
        Option(
            "model", takes: .texts, .words("none named"),
            help: "what the request names: a route, a model, 'PROVIDER/NAME', or a list of these", entries: none,
            read: { fields, schema, request in
                request.isList = fields.node("model")?.isScalar == false
                let models = fields.isEmptyText("model") ? [] : fields.texts("model") ?? []
                request.models = models.map(\.text)
                // `body` replaces it, and is checked itself.
                if !fields.isPresent("body") { schema.checkRequested(models, isList: request.isList) }
            }),
        Option(
            "text", takes: .text, .words("Hello"), help: "the text of the only message", entries: none,
            read: { fields, _, request in request.text = fields.string("text") ?? request.text }),
        medium(.image, help: "whether the message has an image"),
        medium(.audio, help: "whether the message has audio"),
        medium(.file, help: "whether the message has a file"),
        Option("tools", \.hasTools, .bool, help: "whether the request has a tool"),
        Option("json", \.wantsJSON, .bool, help: "whether the request asks for JSON"),
        Option("max_tokens", \.maxTokens, .count, .words("none"), help: "the request's 'max_tokens'"),
        Option(
            "stream", \.isStream, .bool, .words("what the API does by itself: only Ollama's streams"),
            help: "whether the request asks for a stream"),
        Option(
            "header", takes: .other("names with texts"), .words("none"), help: "header fields of the request", entries: none,
            read: { fields, schema, request in
                let headers = fields.stringMap("header") ?? []
                request.headers = headers.filter { schema.checkHeader($0.name) }.map {
                    RequestHeader(name: $0.name.text.lowercased(), value: $0.value.text)
                }
            }),
        Option("face", \.face, .word, help: "the API in which the request arrives"),
    ]

    private static let rest: [Option<ExpectedRequest>] = [
        Option(
            "tokens", takes: .integer(0...countRange.upperBound), .words("estimated"),
            help: "the number of prompt tokens, in place of the estimate", entries: none,
            read: { fields, schema, request in
                request.tokens = fields.int("tokens", in: 0...countRange.upperBound)
                if let node = fields.node("tokens") { schema.plain.append(node.position) }
            }),
        Option(
            "body", takes: .other("a chat request with JSON values"), .words("made from the others"),
            help: "a whole chat request, in place of all others but 'tokens', 'header' and 'face'", entries: none,
            read: { fields, schema, request in request.givenBody = schema.readWholeBody(&fields) }),
    ]

    /// A test is compared by the body that it stands for.
    private static let none: @Sendable (ExpectedRequest, RoutingPolicy) -> [OptionEntry] = { _, _ in [] }

    private static func medium(_ medium: Medium, help: String) -> Option<ExpectedRequest> {
        Option(
            medium.rawValue, takes: .bool, .value("false"), help: help, entries: none,
            read: { fields, _, request in if fields.bool(medium.rawValue) == true { request.media.append(medium) } })
    }

    private static func overriding(_ override: RoutingOverride) -> Option<ExpectedRequest> {
        let option = override.option
        return Option(
            option.key, takes: option.kind, option.absence, help: option.help, entries: none,
            read: { fields, schema, request in
                if !fields.isEmptyText(option.key) { option.read(&fields, &schema, &request.overrides) }
            })
    }
}

extension PolicySchema {
    /// Reports the keys that do nothing beside `body`.
    func checkBody(_ fields: inout FieldReader) -> Bool {
        guard fields.isPresent("body") else { return true }
        for key in fields.presentKeys where !["body", "tokens", "header", "face"].contains(key) && fields.knownKeys.contains(key) {
            guard let place = fields.entry(key)?.key.position else { continue }
            fields.report(
                ConfigIssue(
                    at: place, "'\(key)' does nothing beside 'body', which is the whole request", hint: "write it into 'body', or remove it"
                ))
        }
        return true
    }

    /// The keys that describe a chat request alone.
    private static let chatKeys = ExpectedRequest.Medium.allCases.map(\.rawValue) + ["tools", "json", "max_tokens"]

    /// Reports the keys of a chat request in a request for another operation.
    func checkChatFields(_ fields: inout FieldReader, _ operation: ProviderKit.Operation) -> Bool {
        guard operation != .chat else { return true }
        for key in Self.chatKeys where fields.isPresent(key) {
            fields.report(
                key, "'\(key)' belongs to a chat request, and this one is for \(operation.rawValue)", hint: "remove it, or 'operation'")
        }
        return true
    }

    fileprivate mutating func checkHeader(_ name: ConfigText) -> Bool {
        if HeaderCondition.isName(name.text) { return true }
        report(ConfigIssue(at: name.position, "'\(abbreviated(name.text))' is not a valid header name"))
        return false
    }

    fileprivate mutating func readWholeBody(_ fields: inout FieldReader) -> [UInt8]? {
        guard let entry = fields.entry("body") else { return nil }
        guard case .mapping(let members) = entry.value.content else {
            fields.report(
                "body", "'body' takes a chat request's fields, not \(entry.value.displayText)",
                hint: "such as 'body: { messages: [{ role: user, content: Hello }] }'")
            return []
        }
        var model = FieldReader(members.filter { $0.key.text == "model" }, at: entry.key.position)
        if !model.isEmptyText("model") { checkRequested(model.texts("model") ?? [], isList: model.node("model")?.isScalar == false) }
        var json = JSONBody()
        let bytes = json.encoded(entry.value)
        for issue in json.takeIssues() { report(issue) }
        return bytes ?? []
    }

    /// Reports the names in a request's `model` if no request may use any of them.
    ///
    /// - Parameter isList: whether they are a list. Otherwise they are one text, with commas between names.
    fileprivate mutating func checkRequested(_ models: [ConfigText], isList: Bool) {
        guard !mayNameUnknownModels else { return }
        let requested = isList ? models : models.flatMap(\.entries)
        guard !requested.contains(where: isRequestable) else { return }
        for name in requested { reportUnknown(name) }
    }

    /// Whether a name is a route, a model, `provider/model` or `auto`, as far as is known.
    private func isRequestable(_ name: ConfigText) -> Bool {
        name.isUnresolved || name.text == "auto" || names.step(name.text) != nil || names.wildcard(for: name.text) != nil
            || names.isBroken(name.text)
    }

    private mutating func reportUnknown(_ name: ConfigText) {
        let suggestion = names.suggestion(forStep: name.text)
        let hint = suggestion.isEmpty ? "define it under 'models:' or 'routes:', or expect 'refused: 404'" : nil
        report(ConfigIssue(at: name.position, "there is no model or route '\(abbreviated(name.source))'\(suggestion)", hint: hint))
    }
}

extension ConfigText {
    /// The parts of the text between its commas, without the empty ones.
    fileprivate var entries: [ConfigText] {
        let parts = OverrideValue.text(text).listed ?? []
        return parts.map { ConfigText($0, at: position, source: source == text ? $0 : source, isUnresolved: isUnresolved) }
    }
}

extension FieldReader {
    /// Whether the value is an empty text, which says nothing in a request.
    fileprivate mutating func isEmptyText(_ key: String) -> Bool {
        guard case .scalar(let scalar)? = node(key)?.content else { return false }
        return !scalar.isNull && !scalar.isUnresolved && scalar.text.allSatisfy(\.isWhitespace)
    }
}
