import ConfigTree
import Testing

/// The options that a reader knows, and how they appear in issues.
struct FieldReferenceTests {
    private static let place = SourcePosition(file: "f", line: 1, column: 1)
    private static let value = SourcePosition(file: "f", line: 1, column: 9)

    private func fields(_ values: KeyValuePairs<String, String>) -> FieldReader {
        let entries = values.enumerated().map { line, pair in
            let value = ConfigNode(.scalar(ConfigScalar(pair.value)), at: SourcePosition(file: "f", line: line + 1, column: 9))
            return ConfigEntry(key: ConfigText(pair.key, at: Self.place), value: value)
        }
        return FieldReader(entries, at: Self.place)
    }

    @Test
    func `each method declares the kind that it reads`() {
        var fields = fields([:])
        _ = fields.string("text")
        _ = fields.name("name")
        _ = fields.texts("texts")
        _ = fields.bool("bool")
        _ = fields.word("word", of: ["a", "b"])
        _ = fields.words("words", of: ["a", "b"])
        _ = fields.int("int", in: 1...9)
        _ = fields.int("count", in: 1...1_000_000_000)
        _ = fields.int("milliseconds", in: 0...30_000, unit: "milliseconds")
        _ = fields.number("number", in: 0...0.5)
        _ = fields.ratio("ratio")
        _ = fields.money("money")
        _ = fields.duration("duration", in: .milliseconds(250)...(.seconds(60)))
        _ = fields.size("size", in: 1...(1 << 20))
        _ = fields.node("node")
        let kinds = [
            "text", "text", "text or list", "true or false", "a | b", "list of a, b", "whole number, 1 to 9", "whole number, at least 1",
            "milliseconds, 0 to 30000",
            "number, 0 to 0.5", "number, 0 to 1", "US dollars, 0 to 1000000", "time, 250ms to 1m", "size, 1B to 1MiB", "",
        ]
        #expect(fields.known.map { $0.kind?.description ?? "" } == kinds)
    }

    @Test
    func `the first description of a key counts`() {
        var fields = fields([:])
        fields.declare("a", as: .other("words"))
        _ = fields.string("a")
        fields.describe("a", "first", default: "5s")
        fields.describe("a", "second")
        _ = fields.node("b")
        fields.declare("b", as: .bool)
        #expect(fields.known.map(\.kind) == [.other("words"), .bool])
        #expect(fields.known.map(\.text) == ["first", nil])
        #expect(fields.known[0].defaultText == "5s")
    }

    @Test
    func `an error without a hint gets the description of its key`() {
        var fields = fields(["a": "x", "b": "12", "c": "x", "dd": "1"])
        fields.describe("a", "the first")
        _ = fields.bool("a")
        _ = fields.int("b", in: 0...9)
        _ = fields.int("c", in: 0...9)
        _ = fields.text("ddd")
        let issues = fields.finish { $0 == "b" ? "about b" : nil }
        #expect(issues.map(\.hint) == ["'a': the first", "about b", "write only the digits, without a unit", "known keys: a, b, c, ddd"])
    }

    @Test
    func `a suggested key is shown with its description`() {
        var fields = fields(["retrys": "1"])
        _ = fields.int("retries", in: 0...9)
        #expect(fields.finish { "'\($0)': more tries" }.map(\.hint) == ["'retries': more tries"])
    }

    @Test(arguments: [
        ("100k", nil, "write 100000"), ("500ms", "milliseconds", "write 500"), ("2s", "milliseconds", "write 2000"),
        ("5m", "seconds", "write 300"), ("30s", "seconds", "write 30"), ("5m", nil, "write only the digits, without a unit"),
    ])
    func `a number with a unit is refused with the number to write`(text: String, unit: String?, hint: String) {
        var fields = fields(["k": text])
        #expect(fields.int("k", in: 0...1_000_000, unit: unit) == nil)
        #expect(fields.finish().map(\.hint) == [hint])
    }

    @Test(arguments: [("20%", "write 0.2"), ("100%", "write 1"), ("0.5%", "write 0.005"), ("120%", nil), ("x%", nil)])
    func `a percentage is refused with the ratio to write`(text: String, hint: String?) {
        var fields = fields(["k": text])
        #expect(fields.ratio("k") == nil)
        #expect(fields.finish().map(\.hint) == [hint])
    }

    @Test(arguments: [("0", 0), ("1000", 1000), ("2.5", 2.5)])
    func `a number may have a fraction`(text: String, number: Double) {
        var fields = fields(["k": text])
        #expect(fields.number("k", in: 0...1000) == number)
    }

    @Test(arguments: ["-1", "1000.5", "1e4", "nan", "inf", "one"])
    func `a number outside its range is refused`(text: String) {
        var fields = fields(["k": text])
        #expect(fields.number("k", in: 0...1000) == nil)
        #expect(fields.finish().map(\.message) == ["'k' takes a number from 0 to 1000, not '\(text)'"])
    }

    @Test(arguments: [
        ("-1", "of at least 1"), ("0", "of at least 1"), ("2000000000", "from 1 to 1000000000"), ("-99999999999999999999", "of at least 1"),
    ])
    func `a very large upper bound is only mentioned for a number above it`(text: String, limits: String) {
        var fields = fields(["k": text])
        #expect(fields.int("k", in: 1...1_000_000_000) == nil)
        #expect(fields.finish().map(\.message) == ["'k' takes a whole number \(limits), not '\(text)'"])
    }

    @Test
    func `a value that is not a mapping has no missing keys`() {
        var fields = FieldReader(ConfigNode(.scalar(ConfigScalar("3s")), at: Self.value), of: ConfigText("hedge", at: Self.place))
        _ = fields.duration("after", required: true)
        _ = fields.texts("names", required: true)
        let issues = fields.finish()
        #expect(issues.map(\.message) == ["'hedge' takes a mapping (key: value), not '3s'"])
        #expect(issues.map(\.hint) == ["known keys: after, names"])
    }

    @Test
    func `a name has its place`() {
        var fields = fields(["k": "v"])
        #expect(fields.name("k") == ConfigText("v", at: Self.value))
        #expect(fields.name("missing", required: true) == nil)
        #expect(fields.finish().count == 1)
    }
}
