import ConfigTree

/// `request` of a test.
extension PolicySchema {
    /// - Parameter mayBeUnknown: whether the models it names need not exist.
    mutating func readExpectedRequest(_ fields: inout FieldReader, mayBeUnknown: Bool) -> (body: [UInt8], tokens: Int?) {
        fields.declare("model", as: .other("text or list"))
        var request = ExpectedRequest()
        let models = fields.texts("model") ?? []
        request.models = models.map(\.text)
        request.isList = fields.node("model")?.isScalar == false
        request.text = fields.string("text") ?? request.text
        request.media = ExpectedRequest.Medium.allCases.filter { fields.bool($0.rawValue) ?? false }
        request.hasTools = fields.bool("tools") ?? false
        request.wantsJSON = fields.bool("json") ?? false
        request.maxTokens = fields.int("max_tokens", in: PolicySchema.countRange)
        request.fields = readRequestFields(&fields)
        let tokens = fields.int("tokens", in: 0...PolicySchema.countRange.upperBound)
        if let node = fields.node("tokens") { plain.append(node.position) }
        fields.declare("body", as: .other("a chat request with JSON values"))
        guard let body = fields.entry("body") else {
            if !mayBeUnknown { for model in models { checkRequested(model) } }
            return (request.body, tokens)
        }
        for key in fields.presentKeys where !["body", "tokens"].contains(key) && fields.knownKeys.contains(key) {
            guard let place = fields.entry(key)?.key.position else { continue }
            fields.report(
                ConfigIssue(
                    at: place, "'\(key)' does nothing beside 'body', which is the whole request", hint: "write it into 'body', or remove it"
                ))
        }
        return (readBody(body, &fields, mayBeUnknown: mayBeUnknown) ?? [], tokens)
    }

    private mutating func readBody(_ entry: ConfigEntry, _ fields: inout FieldReader, mayBeUnknown: Bool) -> [UInt8]? {
        guard case .mapping(let members) = entry.value.content else {
            fields.report(
                "body", "'body' takes a chat request's fields, not \(entry.value.shown)",
                hint: "such as 'body: { messages: [{ role: user, content: Hello }] }'")
            return nil
        }
        var model = FieldReader(members.filter { $0.key.text == "model" }, at: entry.key.position)
        if !mayBeUnknown { for name in model.texts("model") ?? [] { checkRequested(name) } }
        var json = JSONBody()
        let bytes = json.encoded(entry.value)
        for issue in json.takeIssues() { report(issue) }
        return bytes
    }

    /// A name that a request may use: a route, a model, `provider/model` or `auto`.
    private mutating func checkRequested(_ name: ConfigText) {
        guard !name.isUnresolved, name.text != "auto", names.step(name.text) == nil, !names.isBroken(name.text) else { return }
        let suggestion = names.suggestion(forStep: name.text)
        let hint = suggestion.isEmpty ? "define it under 'models:' or 'routes:', or expect 'refused: 404'" : nil
        report(ConfigIssue(at: name.position, "there is no model or route '\(abbreviated(name.source))'\(suggestion)", hint: hint))
    }
}
