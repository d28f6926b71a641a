import ConfigTree
import ProviderKit

extension RoutingExpectation {
    static let section = OptionSection<RoutingExpectation>(
        "tests", "a list of what routing must do; no upstream is contacted",
        [
            Option(
                "name", takes: .text, .required, help: "the test's name in reports", entries: { _, _ in [] },
                read: { fields, _, test in test.name = fields.string("name", required: true) ?? "" }),
            Option(
                "key", takes: .text, .words("one that may reach everything"), help: "the name of the key that sends the request",
                entries: { test, _ in test.key.map { [OptionEntry("key", .text($0))] } ?? [] },
                read: { fields, schema, test in
                    guard let key = fields.name("key") else { return }
                    schema.plain.append(key.position)
                    schema.check(key)
                    test.key = key.text
                }),
            Option(
                "down", takes: .texts, .words("none"), help: "providers and models that cannot be reached",
                entries: { test, _ in test.down.isEmpty ? [] : [OptionEntry("down", .list(test.down))] },
                read: { fields, schema, test in test.down = (fields.texts("down") ?? []).filter { schema.checkDown($0) }.map(\.text) }),
            Option(
                "last_served_by", takes: .text, .words("none"),
                help: "the model that last served the request's conversation, for a route with 'sticky'",
                entries: { test, _ in test.lastServedBy.map { [OptionEntry("last_served_by", .text($0))] } ?? [] },
                read: { fields, schema, test in
                    guard let name = fields.name("last_served_by"), schema.model(named: name) != nil else { return }
                    test.lastServedBy = name.text
                }),
            Option("operation", \.operation, .word(of: Operation.served), help: "what the request is for"),
            Option(
                "expect", takes: .other("see expect"), .required, help: "what must hold: at least one of its keys",
                entries: { test, policy in [OptionEntry("expect", .section(Expected.section.entries(of: test.expected, in: policy)))] },
                read: { fields, schema, test in schema.readExpect(&fields, &test) }),
            Option(
                "request", takes: .other("see request"), .words("a request that names no model"), help: "what the client sends",
                entries: { test, _ in test.requestEntries },
                read: { fields, schema, test in schema.readRequest(&fields, &test) }),
        ])

    private var requestEntries: [OptionEntry] {
        var entries = [OptionEntry("request", .opaque(body))]
        for header in headers { entries.append(OptionEntry("request.header \(header.name)", .text(header.value))) }
        if face != .openai { entries.append(OptionEntry("request.face", .text(face.rawValue))) }
        if let tokens { entries.append(OptionEntry("request.tokens", .text("\(tokens)"))) }
        return entries
    }

    /// `expect` of a test.
    struct Expected: OptionHolder {
        var chosen: [String] = []
        var order: [String]?
        var never: [String] = []
        var refused: Int?
    }

    var expected: Expected {
        get { Expected(chosen: chosen, order: order, never: never, refused: refused) }
        set { (chosen, order, never, refused) = (newValue.chosen, newValue.order, newValue.never, newValue.refused) }
    }
}

extension RoutingExpectation.Expected {
    static let section = OptionSection<Self>(
        "expect", "what a test requires",
        [
            Option(
                "chosen", takes: .texts, .words("any"),
                help: "one of these models serves the request: the first in the plan that is not down",
                entries: { expected, _ in
                    expected.chosen.isEmpty ? [] : [OptionEntry("chosen", .text(expected.chosen.joined(separator: " or ")))]
                },
                read: { fields, schema, expected in expected.chosen = schema.readModelNames(&fields, "chosen") ?? [] }),
            Option(
                "order", takes: .texts, .words("any"),
                help: "the models that are called first, in this order, if each of them fails",
                entries: { expected, _ in expected.order.map { [OptionEntry("order", .list($0))] } ?? [] },
                read: { fields, schema, expected in expected.order = schema.readModelNames(&fields, "order") }),
            Option(
                "never", takes: .texts, .words("none"), help: "none of these models is called, whatever fails",
                entries: { expected, _ in expected.never.isEmpty ? [] : [OptionEntry("never", .list(expected.never))] },
                read: { fields, schema, expected in expected.never = schema.readModelNames(&fields, "never") ?? [] }),
            Option(
                "refused", \.refused, .integer(Failover.statusRange), .words("not checked"),
                help: "the client gets an error with this status, and no model responds"),
        ])
}

extension PolicySchema {
    mutating func readTests(_ fields: inout FieldReader) -> [RoutingExpectation] {
        guard let entry = fields.entry("tests") else { return [] }
        guard case .sequence(let nodes) = entry.value.content else {
            report(
                ConfigIssue(
                    at: entry.value.isNull ? entry.key.position : entry.value.position,
                    "'tests' takes a list, not \(entry.value.displayText)",
                    hint: "write one '- name: …' for each test, with its 'request' and 'expect' below"))
            return []
        }
        var places: [String: SourcePosition] = [:]
        return nodes.compactMap { node in
            guard let test = test(node) else { return nil }
            if let first = places.updateValue(test.position, forKey: test.name) {
                report(
                    ConfigIssue(
                        at: test.position, "two tests are named '\(abbreviated(test.name))'; first at \(first)",
                        hint: "give each a name of its own"))
            }
            return test
        }
    }

    private mutating func test(_ node: ConfigNode) -> RoutingExpectation? {
        guard case .mapping(let entries) = node.content else {
            report(
                ConfigIssue(
                    at: node.position, "a test is a mapping (key: value), not \(node.displayText)",
                    hint: "write '- name: …', and 'request' and 'expect' below"))
            return nil
        }
        var fields = FieldReader(entries, at: node.position)
        var test = RoutingExpectation()
        test.position = node.position
        requestedFallback = fallback(ofTest: &fields)
        read(RoutingExpectation.section, &fields, into: &test)
        finish(&fields, RoutingExpectation.section)
        return test.name.isEmpty ? nil : test
    }

    /// `provider/name` of the fallback that a test's request or its key names with a provider. The policy need not list
    /// that model.
    private func fallback(ofTest fields: inout FieldReader) -> String? {
        if case .mapping(let members)? = fields.node("request")?.content {
            var request = FieldReader(members, at: fields.position)
            if case .mapping(let members)? = request.node("body")?.content { request = FieldReader(members, at: fields.position) }
            if let provider = request.node("fallback_provider")?.text, let name = request.node("fallback_model")?.text {
                return "\(provider)/\(name)"
            }
        }
        let key = fields.node("key")?.text
        guard let defaults = policy.keys.first(where: { $0.name == key })?.defaults?.fields, let provider = defaults.fallbackProvider,
            let name = defaults.fallbackModel
        else { return nil }
        return "\(provider)/\(name)"
    }

    fileprivate mutating func readExpect(_ fields: inout FieldReader, _ test: inout RoutingExpectation) {
        guard fields.node("expect") != nil else {
            fields.report(
                ConfigIssue(
                    at: fields.position, "key 'expect' is missing",
                    hint: "add 'expect: { chosen: … }'; 'order', 'never' and 'refused' work too"))
            return
        }
        let expected = read(RoutingExpectation.Expected.section, at: "expect", of: &fields) { fields, _, _ in
            let others = ["chosen", "order", "never"].filter { fields.node($0) != nil }
            if others.isEmpty, fields.node("refused") == nil, fields.issues.isEmpty {
                fields.report(
                    ConfigIssue(at: fields.position, "'expect' is empty", hint: "give 'chosen', 'order', 'never' or 'refused'"))
            } else if let other = others.first, let refused = fields.entry("refused") {
                fields.report(
                    ConfigIssue(
                        at: refused.key.position, "'refused' excludes '\(other)': a request that is refused goes to no model",
                        hint: "keep one of the two"))
            }
            return true
        }
        if let expected { test.expected = expected }
    }

    /// A test that expects a refusal may name models that do not exist.
    fileprivate mutating func readRequest(_ fields: inout FieldReader, _ test: inout RoutingExpectation) {
        mayNameUnknownModels = test.refused != nil
        let operation = test.operation
        test.body = ExpectedRequest(operation: operation).body
        guard
            var request = read(
                ExpectedRequest.section, at: "request", of: &fields,
                accepts: { fields, schema, _ in schema.checkBody(&fields) && schema.checkChatFields(&fields, operation) })
        else { return }
        request.operation = operation
        test.body = request.givenBody ?? request.body
        test.tokens = request.tokens
        test.headers = request.headers
        test.face = request.face
    }

    fileprivate mutating func readModelNames(_ fields: inout FieldReader, _ key: String) -> [String]? {
        guard let texts = fields.texts(key) else { return nil }
        if texts.isEmpty, fields.node(key)?.isScalar == false {
            fields.report(key, "'\(key)' is empty", hint: "name a model, or remove the line")
        }
        return texts.filter { $0.text == requestedFallback || names.wildcard(for: $0.text) != nil || model(named: $0) != nil }.map(\.text)
    }

    /// Reports a key that the policy does not have.
    mutating func check(_ key: ConfigText) {
        let keys = policy.keys.map(\.name)
        guard !key.isUnresolved, !keys.contains(key.text), !names.brokenKeys.contains(key.text), !names.isBroken(key.text) else { return }
        let suggestion = names.suggestion(for: key.text, among: keys)
        let hint = keys.isEmpty ? "add the key under 'keys:', or remove 'key'" : suggestion.isEmpty ? "define it under 'keys:'" : nil
        report(ConfigIssue(at: key.position, "there is no key '\(abbreviated(key.source))'\(suggestion)", hint: hint))
    }

    /// Whether a name is a provider or a model. Reports it if not.
    fileprivate mutating func checkDown(_ name: ConfigText) -> Bool {
        let text = name.text
        if name.isUnresolved { return false }
        if text == requestedFallback || names.wildcard(for: text) != nil { return true }
        if names.providers[text] != nil || names.models[text] != nil || names.qualified[text] != nil { return true }
        guard !names.isBroken(text) else { return false }
        let suggestion = names.suggestion(for: text, among: [Array(names.providers.keys), names.modelNames].joined())
        let hint = suggestion.isEmpty ? "name one of 'providers:' or 'models:'" : nil
        report(ConfigIssue(at: name.position, "there is no provider or model '\(abbreviated(name.source))'\(suggestion)", hint: hint))
        return false
    }
}

extension ConfigNode {
    /// The text of a value that is one; nil for every other.
    fileprivate var text: String? {
        if case .scalar(let scalar) = content, !scalar.isNull { scalar.text } else { nil }
    }
}
