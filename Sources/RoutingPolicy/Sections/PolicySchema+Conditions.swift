import Codecs
import ConfigTree
import ProviderKit

extension RouteCondition {
    static let section = OptionSection<RouteCondition>(
        "when", "an entry of a route's 'when': conditions that must all hold, and the route that then replaces it",
        [
            Option(
                "header", takes: .other("names with values or lists of values"), .words("any"),
                help: "header fields that the request has, with one of these values; '*' stands for any characters",
                entries: { condition, _ in
                    condition.headers.map { OptionEntry("header \($0.name)", .text($0.values.joined(separator: " or "))) }
                },
                read: { fields, schema, condition in condition.headers = schema.readHeaders(&fields) }),
            Option(
                "key", takes: .texts, .words("any"), help: "one or more keys; the request has one of them",
                entries: { condition, _ in Self.entries("key", condition.keys) },
                read: { fields, schema, condition in
                    let keys = fields.texts("key") ?? []
                    fields.reportEmptyList("key")
                    schema.plain += keys.map(\.position)
                    schema.conditionKeys += keys
                    condition.keys = keys.map(\.text)
                }),
            Option(
                "face", takes: .words(FaceName.allCases.map(\.rawValue)), .words("any"), help: "the API in which the request arrives",
                entries: { condition, _ in Self.entries("face", condition.faces.map(\.rawValue)) },
                read: { fields, _, condition in
                    let words = fields.words("face", of: FaceName.allCases.map(\.rawValue)) ?? []
                    fields.reportEmptyList("face")
                    condition.faces = words.compactMap(FaceName.init)
                }),
            Option(
                "operation", takes: .words(Operation.served.map(\.rawValue)), .words("any"), help: "what the request is for",
                entries: { condition, _ in Self.entries("operation", condition.operations.map(\.rawValue)) },
                read: { fields, _, condition in
                    let words = fields.words("operation", of: Operation.served.map(\.rawValue)) ?? []
                    fields.reportEmptyList("operation")
                    condition.operations = OperationSet(words.compactMap(Operation.init(served:)))
                }),
            Option("stream", \.isStream, .bool, .words("either"), help: "whether the request asks for a stream"),
            Option(
                "use", takes: .text, .required, help: "the route that replaces this one",
                entries: { condition, policy in [OptionEntry("use", .text(policy.routes[condition.use].name))] },
                read: { fields, schema, condition in condition.use = schema.readUse(&fields) }),
        ])

    private static func entries(_ key: String, _ words: [String]) -> [OptionEntry] {
        words.isEmpty ? [] : [OptionEntry(key, .text(words.joined(separator: " or ")))]
    }

    /// What must hold, in words: `header x-team red or blue, stream true`.
    package func words(in policy: RoutingPolicy) -> String {
        Self.section.entries(of: self, in: policy).filter { $0.key != "use" }.map(\.words).joined(separator: ", ")
    }
}

extension HeaderCondition {
    /// Whether a text can be the name of a header field. Source: RFC 9110 section 5.6.2.
    static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }

    /// The fields with credentials: a policy names its keys instead.
    fileprivate static let credentials: Set = ["authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "proxy-authorization"]
}

extension PolicySchema {
    static let conditionsKind = "a list; see when"

    /// `when` of a route. One mapping counts as a list of one.
    mutating func readConditions(_ fields: inout FieldReader) -> [RouteCondition] {
        guard let entry = fields.entry("when") else { return [] }
        let nodes: [ConfigNode]
        switch entry.value.content {
        case .sequence(let list): nodes = list
        case .mapping: nodes = [entry.value]
        case .scalar:
            fields.report(
                "when", "'when' takes a list of conditions, not \(entry.value.displayText)",
                hint: "write one '- { header: { NAME: VALUE }, use: ROUTE }' for each")
            return []
        }
        return nodes.compactMap { condition($0) }
    }

    private mutating func condition(_ node: ConfigNode) -> RouteCondition? {
        guard case .mapping(let entries) = node.content else {
            report(
                ConfigIssue(
                    at: node.position, "a condition is a mapping (key: value), not \(node.displayText)",
                    hint: "write '{ face: anthropic, use: ROUTE }'; 'header', 'key', 'operation' and 'stream' work too"))
            return nil
        }
        var fields = FieldReader(entries, at: node.position)
        var condition = RouteCondition()
        read(RouteCondition.section, &fields, into: &condition)
        if condition.isEmpty, fields.issues.isEmpty, !["header", "key", "face", "operation", "stream"].contains(where: fields.isPresent) {
            fields.report(
                ConfigIssue(
                    at: node.position, "the condition has nothing that must hold, so it would replace the route always",
                    hint: "add 'header', 'key', 'face', 'operation' or 'stream'"))
        }
        finish(&fields, RouteCondition.section)
        return condition.use < 0 || condition.isEmpty ? nil : condition
    }

    fileprivate mutating func readHeaders(_ fields: inout FieldReader) -> [HeaderCondition] {
        guard let entry = fields.entry("header") else { return [] }
        guard case .mapping(let members) = entry.value.content, !members.isEmpty else {
            fields.report(
                "header", "'header' takes a mapping of names to values, not \(entry.value.displayText)",
                hint: "write 'header: { x-team: red }', or 'header: { x-team: [red, blue] }'")
            return []
        }
        var inner = FieldReader(members, at: entry.value.position)
        let headers = members.compactMap { member -> HeaderCondition? in
            let name = member.key.text.lowercased(), values = inner.texts(member.key.text)
            inner.reportEmptyList(member.key.text)
            if !HeaderCondition.isName(name) {
                report(ConfigIssue(at: member.key.position, "'\(abbreviated(member.key.text))' is not a valid header name"))
            } else if HeaderCondition.credentials.contains(name) {
                report(
                    ConfigIssue(
                        at: member.key.position, "'\(name)' holds a credential, which a condition can't compare",
                        hint: "write 'key: NAME', with a key under 'keys:'"))
            }
            return values.map { HeaderCondition(name: name, values: $0.map(\.text)) }
        }
        add(inner.issues, secrets: inner.secretPositions)
        return headers
    }

    /// -1 with an issue.
    fileprivate mutating func readUse(_ fields: inout FieldReader) -> Int {
        guard let name = fields.name("use", required: true), !name.isUnresolved else { return -1 }
        if let route = names.routes[name.text] {
            conditionGraph.addEdge(from: currentRoute, to: route, at: name.position)
            return route
        }
        guard !names.isBroken(name.text) else { return -1 }
        if names.step(name.text) != nil {
            fields.report(
                "use", "'use' takes a route, but '\(abbreviated(name.source))' is a model",
                hint: "define a route with 'try: \(abbreviated(name.source))', and name that")
        } else {
            let suggestion = names.suggestion(for: name.text, among: names.routes.keys)
            fields.report(
                "use", "there is no route '\(abbreviated(name.source))'\(suggestion)",
                hint: suggestion.isEmpty ? "define it under 'routes:'" : nil)
        }
        return -1
    }
}
