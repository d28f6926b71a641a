import PolicyDrafts
import Testing

@Suite struct DraftValueTests {
    @Test(arguments: [
        ("gpt-4o", "gpt-4o"), ("a/b:free", "a/b:free"), ("http://h/v1", "http://h/v1"), ("x:", "\"x:\""), ("", "\"\""),
        ("true", "\"true\""), ("No", "\"No\""), ("1e3", "\"1e3\""), ("0x1F", "\"0x1F\""), ("a b", "\"a b\""), ("*", "\"*\""),
        ("- a", "\"- a\""),
        ("é\n\"\\\u{1}", "\"é\\n\\\"\\\\\\U00000001\""), ("${X}", "\"$${X}\""), ("# no", "\"# no\""),
    ])
    func `a text has quotes if YAML could read it otherwise`(text: String, yaml: String) {
        #expect(DraftValue.text(text).yaml == yaml)
    }

    @Test func `values are written on one line`() {
        let value = DraftValue.mapping([
            DraftField("a b", .list([.int(1), .number(0.15), .bool(true), .null])), DraftField("key", .variable("NAME")),
            DraftField("none", .mapping([])),
        ])
        #expect(value.yaml == "{ \"a b\": [1, 0.15, true, null], key: \"${NAME}\", none: {} }")
    }

    @Test(arguments: [(0.000000075, "0.000000075"), (2.5, "2.5"), (-0.5, "-0.5"), (3, "3"), (0, "0")])
    func `a number has no exponent`(number: Double, yaml: String) {
        #expect(DraftValue.number(number).yaml == yaml)
    }

    @Test func `no text of another file can end a comment`() {
        var draft = PolicyDraft()
        draft.header = ["one\nkeys: {}\r\u{2028}two"]
        #expect(draft.text == "# one keys: {} \u{2028}two\nversion: 1\n")
    }

    @Test func `a long entry has a line for each option`() {
        var entry = DraftEntry("m")
        entry.comments = ["about it"]
        entry.set("provider", .text("p"))
        #expect(entry.lines == ["# about it", "m: { provider: p }"])
        entry.set("tags", .texts((0..<30).map { "tag-\($0)" }))
        #expect(entry.lines.prefix(3) == ["# about it", "m:", "  provider: p"])
        #expect(entry.lines.count == 4)
    }

    @Test func `two keys differ, and the policy holds only the hash`() {
        let key = ClientKey.random()
        #expect(key.secret != ClientKey.random().secret)
        #expect(key.secret.hasPrefix("sk-") && key.secret.count == 51)
        #expect(key.digest.count == 64 && !key.digest.contains(key.secret.dropFirst(3)))
    }
}
