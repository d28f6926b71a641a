import Codecs
import ProviderKit
import Testing

@Suite struct JSONCursorTests {
    @Test("members are found in order, with their ranges and kinds")
    func findsMembers() throws {
        let bytes = Array(#" { "model" : "a/b", "n":-1.5e2 ,"o":{"p":[1]},"q":[],"t":true,"f":false,"z":null } "#.utf8)
        let members = try reading(bytes) { bytes throws(JSONError) in try JSON.members(of: bytes) }
        #expect(members.map { text(bytes[$0.key]) } == [#""model""#, #""n""#, #""o""#, #""q""#, #""t""#, #""f""#, #""z""#])
        #expect(members.map { text(bytes[$0.value.range]) } == [#""a/b""#, "-1.5e2", #"{"p":[1]}"#, "[]", "true", "false", "null"])
        #expect(members.map(\.value.kind) == [.string, .number, .object, .array, .true, .false, .null])
        #expect(text(bytes[members[0].range]) == #""model" : "a/b""#)
    }

    @Test("anything but exactly one object has no members", arguments: ["", "[]", "1", "{}{}", "{} x", "{\"a\":[1,]}", "null"])
    func refusesOthers(_ text: String) {
        #expect(throws: JSONError.self) { try reading(text) { bytes throws(JSONError) in try JSON.members(of: bytes) } }
    }

    @Test("a cursor enters some values and skips the rest")
    func entersAndSkips() throws {
        let content = try reading(#"{"id":"x","choices":[{"index":0,"delta":{"content":"Hi"}},{"index":1,"delta":{}}],"usage":null}"#) {
            bytes throws(JSONError) in
            var found: [String] = []
            var cursor = JSONCursor()
            try cursor.enterObject(bytes)
            while let key = try cursor.nextKey(bytes) {
                guard JSON.isKey(key, "choices", in: bytes) else {
                    _ = try cursor.skipValue(bytes)
                    continue
                }
                try cursor.enterArray(bytes)
                while try cursor.nextElement(bytes) {
                    try cursor.enterObject(bytes)
                    while let key = try cursor.nextKey(bytes) {
                        found.append(JSON.string(key, in: bytes) + "=" + text((try cursor.skipValue(bytes)).range, of: bytes))
                    }
                }
            }
            try cursor.end(bytes)
            return found
        }
        #expect(content == ["index=0", #"delta={"content":"Hi"}"#, "index=1", "delta={}"])
    }

    @Test("entered and skipped containers count together toward the nesting limit")
    func countsDepthTogether() {
        let bytes = Array((String(repeating: "[", count: 129) + String(repeating: "]", count: 129)).utf8)
        for entered in [1, 64, 127, 128] {
            let failure = #expect(throws: JSONError.self) {
                try reading(bytes) { bytes throws(JSONError) in
                    var cursor = JSONCursor()
                    for _ in 0..<entered {
                        try cursor.enterArray(bytes)
                        _ = try cursor.nextElement(bytes)
                    }
                    _ = try cursor.skipValue(bytes)
                }
            }
            #expect(failure == JSONError(offset: 128, expected: "at most 128 levels of nesting"))
        }
    }

    @Test("a container that was left no longer counts toward the nesting limit")
    func leavesDepth() throws {
        let bytes = Array(("[" + Array(repeating: "[]", count: 300).joined(separator: ",") + "]").utf8)
        let count = try reading(bytes) { bytes throws(JSONError) in
            var count = 0
            var cursor = JSONCursor()
            try cursor.enterArray(bytes)
            while try cursor.nextElement(bytes) {
                try cursor.enterArray(bytes)
                while try cursor.nextElement(bytes) {}
                count += 1
            }
            try cursor.end(bytes)
            return count
        }
        #expect(count == 300)
    }

    @Test("a value that was neither skipped nor entered is an error at the next key")
    func refusesForgottenValue() {
        #expect(throws: JSONError(offset: 5, expected: "',' or '}'")) {
            try reading(#"{"a":1}"#) { bytes throws(JSONError) in
                var cursor = JSONCursor()
                try cursor.enterObject(bytes)
                _ = try cursor.nextKey(bytes)
                _ = try cursor.nextKey(bytes)
            }
        }
    }

    @Test("a cursor outside the bytes throws and does not trap", arguments: [-1, Int.min, 3, 1 << 40, Int.max])
    func staysInside(_ offset: Int) {
        #expect(throws: JSONError.self) {
            try reading("[1]") { bytes throws(JSONError) in
                var cursor = JSONCursor(at: offset)
                _ = try cursor.skipValue(bytes)
            }
        }
    }

    private func text(_ range: Range<Int>, of bytes: RawSpan) -> String {
        bytes.extracting(range).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    private func text(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: Array(bytes), as: UTF8.self)
    }
}
