import ConfigTree

/// `tests`.
extension PolicySchema {
    /// - Parameter keys: the names of the policy's keys.
    mutating func readTests(_ fields: inout FieldReader, keys: [String]) -> [RoutingExpectation] {
        fields.declare("tests", as: .other("list; see tests"))
        guard let entry = fields.entry("tests") else { return [] }
        guard case .sequence(let nodes) = entry.value.content else {
            let hint = "write one '- name: …' for each test, with its 'request' and 'expect' below"
            report(
                ConfigIssue(
                    at: entry.value.isNull ? entry.key.position : entry.value.position, "'tests' takes a list, not \(entry.value.shown)",
                    hint: hint))
            return []
        }
        var places: [String: SourcePosition] = [:]
        let known = Set(keys)
        return nodes.compactMap { node in
            guard let test = test(node, keys: known) else { return nil }
            if let first = places.updateValue(test.position, forKey: test.name) {
                report(
                    ConfigIssue(
                        at: test.position, "two tests are named '\(abbreviated(test.name))'; first at \(first)",
                        hint: "give each a name of its own"))
            }
            return test
        }
    }

    private mutating func test(_ node: ConfigNode, keys: Set<String>) -> RoutingExpectation? {
        guard case .mapping(let entries) = node.content else {
            report(
                ConfigIssue(
                    at: node.position, "a test is a mapping (key: value), not \(node.shown)",
                    hint: "write '- name: …', and 'request' and 'expect' below"))
            return nil
        }
        var fields = FieldReader(entries, at: node.position)
        let name = fields.string("name", required: true)
        let key = fields.name("key")
        if let key {
            plain.append(key.position)
            check(key, among: keys)
        }
        let down = (fields.texts("down") ?? []).filter { checkDown($0) }.map(\.text)
        fields.declare("request", as: .other("see request"))
        let expected = section("expect", of: &fields) { fields, schema in schema.readExpected(&fields) }
        if fields.node("expect") == nil {
            fields.report(
                ConfigIssue(
                    at: node.position, "key 'expect' is missing",
                    hint: "add 'expect: { chosen: … }'; 'order', 'never' and 'refused' work too"))
        }
        // Who expects a refusal may well name what doesn't exist.
        let request = section("request", of: &fields) { fields, schema in
            schema.readExpectedRequest(&fields, mayBeUnknown: expected?.refused != nil)
        }
        finish(&fields, section: "tests")
        guard let name, let expected else { return nil }
        var test = RoutingExpectation(name: name, position: node.position, body: request?.body ?? ExpectedRequest().body)
        test.tokens = request?.tokens
        test.key = key?.text
        test.down = down
        test.chosen = expected.chosen
        test.order = expected.order
        test.never = expected.never
        test.refused = expected.refused
        return test
    }

    struct Expected {
        var chosen: [String] = []
        var order: [String]?
        var never: [String] = []
        var refused: Int?
    }

    private mutating func readExpected(_ fields: inout FieldReader) -> Expected {
        var expected = Expected()
        expected.chosen = readModelNames(&fields, "chosen") ?? []
        expected.order = readModelNames(&fields, "order")
        expected.never = readModelNames(&fields, "never") ?? []
        expected.refused = fields.int("refused", in: PolicySchema.statuses)
        let others = ["chosen", "order", "never"].filter { fields.node($0) != nil }
        if others.isEmpty, fields.node("refused") == nil, fields.issues.isEmpty {
            fields.report(
                ConfigIssue(at: fields.position, "'expect' expects nothing", hint: "give 'chosen', 'order', 'never' or 'refused'"))
        } else if let other = others.first, let refused = fields.entry("refused") {
            let message = "'refused' excludes '\(other)': a request that is refused goes to no model"
            fields.report(ConfigIssue(at: refused.key.position, message, hint: "keep one of the two"))
        }
        return expected
    }

    private mutating func readModelNames(_ fields: inout FieldReader, _ key: String) -> [String]? {
        guard let texts = fields.texts(key) else { return nil }
        if texts.isEmpty, fields.node(key)?.isScalar == false {
            fields.report(key, "'\(key)' is empty", hint: "name a model, or remove the line")
        }
        return texts.filter { model(named: $0) != nil }.map(\.text)
    }

    private mutating func check(_ key: ConfigText, among keys: Set<String>) {
        guard !key.isUnresolved, !keys.contains(key.text), !names.brokenKeys.contains(key.text), !names.isBroken(key.text) else { return }
        let suggestion = names.suggestion(for: key.text, among: keys)
        let hint = keys.isEmpty ? "this policy has no 'keys:'" : suggestion.isEmpty ? "define it under 'keys:'" : nil
        report(ConfigIssue(at: key.position, "there is no key '\(abbreviated(key.source))'\(suggestion)", hint: hint))
    }

    /// A provider or a model.
    private mutating func checkDown(_ name: ConfigText) -> Bool {
        let text = name.text
        if name.isUnresolved { return false }
        if names.providers[text] != nil || names.models[text] != nil || names.qualified[text] != nil { return true }
        guard !names.isBroken(text) else { return false }
        let suggestion = names.suggestion(for: text, among: [Array(names.providers.keys), names.modelNames].joined())
        let hint = suggestion.isEmpty ? "name one of 'providers:' or 'models:'" : nil
        report(ConfigIssue(at: name.position, "there is no provider or model '\(abbreviated(name.source))'\(suggestion)", hint: hint))
        return false
    }
}
