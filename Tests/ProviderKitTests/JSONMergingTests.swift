import Codecs
import Testing

@Suite("merging JSON")
struct JSONMergingTests {
    private func merged(_ value: String, _ other: String, isOtherPreferred: Bool) -> String {
        let value = Array(value.utf8), other = Array(other.utf8)
        return String(
            decoding: JSON.merged(value.span.bytes, with: other.span.bytes, isOtherPreferred: isOtherPreferred), as: UTF8.self)
    }

    @Test(
        "objects are merged at each level, and any other pair becomes one of the two values",
        arguments: [
            (
                #"{"a": {"x": 1, "y": [1]}, "b": 2}"#, #"{"a":{"y":[2],"z":{}},"c":3}"#, #"{"a":{"x":1,"y":[1],"z":{}},"b":2,"c":3}"#,
                #"{"a":{"x":1,"y":[2],"z":{}},"b":2,"c":3}"#
            ),
            ("{}", #"{"a":1}"#, #"{"a":1}"#, #"{"a":1}"#), (#"{"a":1}"#, "{}", #"{"a":1}"#, #"{"a":1}"#),
            ("1", "[2]", "1", "[2]"), ("null", #"{"a":1}"#, "null", #"{"a":1}"#), (#"{"a":1}"#, "null", #"{"a":1}"#, "null"),
            (#"{"\u0061":null}"#, #"{"a":{}}"#, #"{"a":null}"#, #"{"a":{}}"#),
            (
                #"{"a":{"b":{"c":{"d":1}}}}"#, #"{"a":{"b":{"c":{"e":2}}}}"#, #"{"a":{"b":{"c":{"d":1,"e":2}}}}"#,
                #"{"a":{"b":{"c":{"d":1,"e":2}}}}"#
            ),
        ])
    func objects(value: String, other: String, first: String, second: String) {
        #expect(merged(value, other, isOtherPreferred: false) == first)
        #expect(merged(value, other, isOtherPreferred: true) == second)
    }

    @Test(
        "a null inside a preferred object removes a member, at any depth, and adds none",
        arguments: [
            (#"{"a":1,"b":2}"#, #"{"a":null}"#, #"{"b":2}"#), (#"{"a":{"x":1,"y":2}}"#, #"{"a":{"x":null}}"#, #"{"a":{"y":2}}"#),
            (#"{"a":1,"a":2}"#, #"{"a":null}"#, "{}"), ("{}", #"{"a":null,"b":{"c":null,"d":1}}"#, #"{"b":{"d":1}}"#),
            (#"{"a":1}"#, #"{"a":{"b":null}}"#, #"{"a":{}}"#), (#"{"a":null}"#, "{}", #"{"a":null}"#),
        ])
    func nulls(value: String, other: String, merged: String) {
        #expect(self.merged(value, other, isOtherPreferred: true) == merged)
    }

    @Test("a key that occurs twice is written once if the other side decides it")
    func duplicates() {
        #expect(merged(#"{"a":1,"a":2,"b":3,"b":4}"#, #"{"a":9}"#, isOtherPreferred: true) == #"{"a":9,"b":3,"b":4}"#)
        #expect(merged(#"{"a":1,"a":2}"#, #"{"a":9}"#, isOtherPreferred: false) == #"{"a":1,"a":2}"#)
    }
}
