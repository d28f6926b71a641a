import ConfigTree
import Testing

struct FieldReaderTests {
    private static let place = SourcePosition(file: "f", line: 1, column: 1)

    /// A reader of one key.
    private func fields(_ scalar: ConfigScalar) -> FieldReader {
        fields(ConfigNode(.scalar(scalar), at: Self.place))
    }

    private func fields(_ node: ConfigNode) -> FieldReader {
        FieldReader([ConfigEntry(key: ConfigText("k", at: Self.place), value: node)], at: Self.place)
    }

    private func list(_ texts: [String]) -> ConfigNode {
        ConfigNode(.sequence(texts.map { ConfigNode(.scalar(ConfigScalar($0)), at: Self.place) }), at: Self.place)
    }

    @Test(arguments: [
        ("250ms", Duration.milliseconds(250)), ("5s", .seconds(5)), ("3m", .seconds(180)), ("1h", .seconds(3600)),
        ("1ms", .milliseconds(1)), ("24h", .seconds(86400)),
    ])
    func `a time has a unit`(text: String, time: Duration) {
        var fields = fields(ConfigScalar(text))
        #expect(fields.duration("k") == time)
        #expect(fields.finish() == [])
    }

    @Test(arguments: [
        ("5", "write '5s' or '5ms'"), ("5 s", "write '5s'"), ("5sec", "write '5s'"), ("2min", "write '2m'"),
        ("1.5s", "write a whole number and a unit, such as 250ms, 5s, 3m or 1h"),
        ("-5s", "write a whole number and a unit, such as 250ms, 5s, 3m or 1h"),
        ("s", "write a whole number and a unit, such as 250ms, 5s, 3m or 1h"),
        ("5d", "write a whole number and a unit, such as 250ms, 5s, 3m or 1h"),
        ("٥s", "write a whole number and a unit, such as 250ms, 5s, 3m or 1h"),
    ])
    func `any other time is refused with a hint`(text: String, hint: String) {
        var fields = fields(ConfigScalar(text))
        #expect(fields.duration("k") == nil)
        #expect(fields.finish().map(\.hint) == [hint])
    }

    @Test(arguments: ["0s", "25h", "99999999999999999999h", "9223372036854775807h"])
    func `a time outside the range is refused`(text: String) {
        var fields = fields(ConfigScalar(text))
        #expect(fields.duration("k") == nil)
        #expect(fields.finish().map(\.message) == ["'k' takes a time from 1ms to 24h, not '\(text)'"])
    }

    @Test(arguments: [("512B", 512), ("64KiB", 65536), ("32MiB", 32 << 20), ("1GiB", 1 << 30)])
    func `a size has a unit`(text: String, size: Int) {
        var fields = fields(ConfigScalar(text))
        #expect(fields.size("k") == size)
        #expect(fields.finish() == [])
    }

    @Test(arguments: [
        ("32", "write '32KiB' or '32MiB'"), ("32MB", "write '32MiB'"), ("32kb", "write '32KiB'"), ("32 MiB", "write '32MiB'"),
        ("32M", "write '32MiB'"), ("big", "write a whole number and a unit, such as 64KiB, 32MiB or 1GiB"),
    ])
    func `any other size is refused with a hint`(text: String, hint: String) {
        var fields = fields(ConfigScalar(text))
        #expect(fields.size("k") == nil)
        #expect(fields.finish().map(\.hint) == [hint])
    }

    @Test(arguments: [("0", 0), ("100", 100), ("007", 7), ("-5", -5)])
    func `a whole number is decimal`(text: String, number: Int) {
        var fields = fields(ConfigScalar(text))
        #expect(fields.int("k", in: -10...100) == number)
    }

    @Test(arguments: ["101", "-11", "1.0", "1e2", "0x10", "ten", "+1", "--1", "-", "99999999999999999999", "1_0", "٣"])
    func `any other notation of a number is refused`(text: String) {
        var fields = fields(ConfigScalar(text))
        #expect(fields.int("k", in: -10...100) == nil)
        #expect(fields.finish().count == 1)
    }

    @Test
    func `a number in quotes is text`() {
        var fields = fields(ConfigScalar("5", style: .quoted))
        #expect(fields.int("k", in: 0...9) == nil)
        #expect(fields.money("k") == nil)
        #expect(fields.finish().map(\.hint) == ["write it without the quotes", "write it without the quotes"])
    }

    @Test(arguments: [("0", 0), ("0.5", 0.5), ("1", 1), ("1e-1", 0.1), (".5", 0.5)])
    func `a ratio is from 0 to 1`(text: String, ratio: Double) {
        var fields = fields(ConfigScalar(text))
        #expect(fields.ratio("k") == ratio)
    }

    @Test(arguments: ["1.1", "-0.1", "nan", ".nan", "inf", ".inf", "1e999", "0x1p-1", "50%", "-", "."])
    func `any other ratio is refused`(text: String) {
        var fields = fields(ConfigScalar(text))
        #expect(fields.ratio("k") == nil)
        #expect(fields.finish().count == 1)
    }

    @Test
    func `only true and false are booleans`() {
        for (text, value) in [("true", true), ("false", false)] {
            var fields = fields(ConfigScalar(text))
            #expect(fields.bool("k") == value)
        }
        for (text, hint) in [("yes", "true"), ("off", "false"), ("True", "true")] {
            var fields = fields(ConfigScalar(text))
            #expect(fields.bool("k") == nil)
            #expect(fields.finish().map(\.hint) == ["write \(hint), in lower case and without quotes"])
        }
        for scalar in [ConfigScalar("1"), ConfigScalar("true", style: .quoted)] {
            var fields = fields(scalar)
            #expect(fields.bool("k") == nil)
            #expect(fields.finish().count == 1)
        }
    }

    @Test
    func `the reading method decides the type, not the look of the text`() {
        for text in ["123", "true", "1.0", "2024-01-01", "no"] {
            var fields = fields(ConfigScalar(text))
            #expect(fields.string("k") == text)
        }
    }

    @Test(arguments: ["", "~", "null"])
    func `an empty scalar is a missing value, unless it is in quotes`(text: String) {
        var fields = fields(ConfigScalar(text))
        #expect(fields.string("k") == nil)
        #expect(fields.finish().map(\.message) == ["'k' has no value"])
        var quoted = self.fields(ConfigScalar(text, style: .quoted))
        #expect(quoted.text("k") == text)
    }

    @Test
    func `one text counts as a list of one`() {
        var one = fields(ConfigScalar("a"))
        #expect(one.texts("k")?.map(\.text) == ["a"])
        var two = fields(list(["a", "b"]))
        #expect(two.texts("k")?.map(\.text) == ["a", "b"])
        var none = fields(list([]))
        #expect(none.texts("k")?.isEmpty == true)
    }

    @Test
    func `each wrong item of a list is reported`() {
        var fields = fields(list(["fast", "fats", "other"]))
        #expect(fields.words("k", of: ["fast", "slow"]) == ["fast"])
        #expect(fields.finish().map(\.message) == ["'k' can't be 'fats'; did you mean 'fast'?", "'k' can't be 'other'"])
    }

    @Test(arguments: [("warn", "warning"), ("err", "error"), ("INFO", "info"), ("in", nil), ("not", nil)] as [(String, String?)])
    func `the beginning of one word is completed`(text: String, meant: String?) {
        var fields = fields(ConfigScalar(text))
        #expect(fields.word("k", of: ["info", "notice", "nothing", "warning", "error"]) == nil)
        #expect(fields.finish().map(\.message) == ["'k' can't be '\(text)'" + (meant.map { "; did you mean '\($0)'?" } ?? "")])
    }

    @Test
    func `a key that was not read is unknown, and the nearest known key is suggested`() {
        var fields = FieldReader(
            [
                ConfigEntry(key: ConfigText("base_ur", at: Self.place), value: list([])),
                ConfigEntry(key: ConfigText("zzz", at: Self.place), value: list([])),
            ], at: Self.place)
        #expect(fields.string("base_url") == nil)
        #expect(fields.int("count", in: 0...1) == nil)
        let issues = fields.finish()
        #expect(issues.map(\.message) == ["unknown key 'base_ur'; did you mean 'base_url'?", "unknown key 'zzz'"])
        #expect(issues.map(\.hint) == [nil, "known keys: base_url, count"])
    }

    @Test
    func `a missing required key is reported at the key of the mapping`() {
        var fields = FieldReader([], at: SourcePosition(file: "f", line: 7, column: 3))
        #expect(fields.string("k", required: true) == nil)
        #expect(
            fields.finish() == [ConfigIssue(at: SourcePosition(file: "f", line: 7, column: 3), "key 'k' is missing", hint: "add 'k: …'")])
    }

    @Test
    func `the issues of an inner mapping become those of the outer one`() {
        let inner = ConfigNode(.mapping([ConfigEntry(key: ConfigText("x", at: Self.place), value: list([]))]), at: Self.place)
        var fields = fields(inner)
        #expect(fields.mapping("k") { $0.string("y") } == nil)
        #expect(fields.finish().map(\.message) == ["unknown key 'x'"])
    }

    @Test
    func `a value that could not be substituted reads as a placeholder without an issue`() {
        let unset = ConfigScalar("", source: "${NO}", style: .plain, unset: ["NO"])
        var fields = fields(unset)
        #expect(fields.string("k", required: true) != nil)
        #expect(fields.int("k", in: 3...9) == 3)
        #expect(fields.bool("k") == false)
        #expect(fields.duration("k") == .milliseconds(1))
        #expect(fields.size("k") == 1)
        #expect(fields.money("k") == 0)
        #expect(fields.word("k", of: ["a", "b"]) == "a")
        #expect(fields.texts("k")?.map(\.isUnresolved) == [true])
        #expect(fields.finish() == [])
    }

    @Test
    func `a message quotes the file, never a substituted value`() {
        var fields = fields(ConfigScalar("hunter2", source: "${SECRET}", style: .plain))
        #expect(fields.int("k", in: 0...1) == nil)
        #expect(fields.word("k", of: ["a"]) == nil)
        #expect(fields.duration("k") == nil)
        #expect(fields.finish().allSatisfy { !$0.message.contains("hunter2") && $0.hint?.contains("hunter2") != true })
    }

    @Test
    func `text on one line has no control characters`() {
        for text in ["a\nb", "a\u{0}", "a\u{7F}", "\t"] {
            var fields = fields(ConfigScalar(text, style: .quoted))
            #expect(fields.string("k") == nil)
            #expect(fields.finish().count == 1)
        }
    }
}
