import Codecs
import ProviderKit
import Testing

@Suite struct JSONSpliceTests {
    private let body = Array(" { \"model\" : \"a\",\n  \"n\": 1 , \"stream\":true } \n".utf8)

    @Test("an unchanged body is one range", arguments: [" {\"a\" : 1 ,\t\"b\":{} }\r\n", "{\"a\":1}", "{}", " { } "])
    func keepsAll(_ text: String) throws {
        let body = Array(text.utf8)
        #expect(try splice(body) { _ in .keep } == [.client(0..<body.count)])
    }

    @Test("a replaced value leaves every other byte as it was")
    func replacesValue() throws {
        let sources = try splice(body) { $0 == 0 ? .replace("\"vendor/x\"") : .keep }
        #expect(rendered(sources) == " { \"model\" : \"vendor/x\",\n  \"n\": 1 , \"stream\":true } \n")
        #expect(sources.count == 3)
    }

    @Test(
        "dropping any members leaves a valid object",
        arguments: [
            ([0], "{\"n\": 1 , \"stream\":true } \n"),
            ([1], " { \"model\" : \"a\",\"stream\":true } \n"),
            ([2], " { \"model\" : \"a\",\n  \"n\": 1}"),
            ([0, 1], "{\"stream\":true } \n"),
            ([0, 2], "{\"n\": 1}"),
            ([1, 2], " { \"model\" : \"a\"}"),
            ([0, 1, 2], "{}"),
        ])
    func drops(_ dropped: [Int], _ expected: String) throws {
        #expect(rendered(try splice(body) { dropped.contains($0) ? .drop : .keep }) == expected)
    }

    @Test("members are appended after the client's, or alone")
    func appends() throws {
        #expect(
            rendered(try splice(body, appending: [("x\"", "[]"), ("y", "2")]) { $0 == 0 ? .keep : .drop })
                == " { \"model\" : \"a\",\"x\\\"\":[],\"y\":2}")
        #expect(rendered(try splice(body, appending: [("x", "[]")]) { _ in .drop }) == "{\"x\":[]}")
        #expect(rendered(try splice(Array("{ }".utf8), appending: [("x", "1"), ("y", "2")]) { _ in .keep }) == "{\"x\":1,\"y\":2}")
    }

    @Test(
        "an array gets one more element, and all other bytes stay as they were",
        arguments: [
            (#"{"m":[]}"#, #"{"m":[7]}"#), ("{\"m\":[ \n ] , \"n\":1}", "{\"m\":[ \n 7] , \"n\":1}"),
            (#"{ "m" : [1, [2]  ] }"#, #"{ "m" : [1, [2]  ,7] }"#),
            (#"{"m":{}}"#, #"{"m":{}}"#), (#"{"m":"[]"}"#, #"{"m":"[]"}"#), (#"{"m":null}"#, #"{"m":null}"#),
        ])
    func extends(_ text: String, _ expected: String) throws {
        let body = Array(text.utf8)
        let sources = try splice(body) { $0 == 0 ? .extend("7") : .keep }
        #expect(String(decoding: render(sources, body), as: UTF8.self) == expected)
        #expect(sources.count <= 3)
    }

    @Test("a member that is neither kept nor changed is dropped")
    func dropsOtherMembers() throws {
        let sources = try reading(body) { bytes throws(JSONError) in
            let members = try JSON.members(of: bytes)
            var splice = JSONSplice()
            splice.keep(members[0], in: bytes)
            splice.keep(members[2], in: bytes)
            return splice.finish(in: bytes)
        }
        #expect(rendered(sources) == " { \"model\" : \"a\",\"stream\":true } \n")
    }

    @Test(
        "any combination of edits gives a valid object with exactly the edited members",
        arguments: 0..<20 as Range<UInt64>)
    func appliesEdits(_ seed: UInt64) throws {
        var generator = JSONGenerator(seed: seed)
        for round in 0..<100 {
            let body = Array((generator.space() + generator.object() + generator.space()).utf8)
            let members = try members(of: body)
            let edits: [Edit] = members.map { _ in
                generator.random.one(of: [.keep, .keep, .drop, .replace(generator.value()), .extend(generator.value())])
            }
            let appended = (0..<generator.random.below(3)).map { ("new \($0)", generator.value()) }
            let sources = try splice(body, appending: appended) { edits[$0] }

            var expected: [[String]] = []
            for (member, edit) in zip(members, edits) {
                switch edit {
                case .keep: expected.append([text(body[member.key]), text(body[member.value.range])])
                case .replace(let json): expected.append([text(body[member.key]), json])
                case .extend(let json): expected.append([text(body[member.key]), extended(body, member.value, with: json)])
                case .drop: break
                }
            }
            expected += appended.map { ["\"\($0.0)\"", $0.1] }
            let result = render(sources, body)
            let found = try self.members(of: result).map { [text(result[$0.key]), text(result[$0.value.range])] }
            #expect(found == expected, "seed \(seed), round \(round): \(text(body)) -> \(text(result))")
            for case (.client(let left), .client(let right)) in zip(sources, sources.dropFirst()) {
                #expect(left.upperBound < right.lowerBound, "adjacent ranges must be joined")
            }
        }
    }

    private enum Edit: Equatable {
        case keep, drop
        case replace(String)
        case extend(String)
    }

    private func extended(_ body: [UInt8], _ value: JSONValue, with json: String) -> String {
        let before = text(body[value.range])
        guard value.kind == .array else { return before }
        let isEmpty = before.dropFirst().dropLast().allSatisfy(\.isWhitespace)
        return before.dropLast() + (isEmpty ? "" : ",") + json + "]"
    }

    private func splice(_ body: [UInt8], appending appended: [(String, String)] = [], _ edit: (Int) -> Edit) throws -> [BodySource] {
        try reading(body) { bytes throws(JSONError) in
            var splice = JSONSplice()
            for (i, member) in try JSON.members(of: bytes).enumerated() {
                switch edit(i) {
                case .keep: splice.keep(member, in: bytes)
                case .replace(let json): splice.replace(member, with: Array(json.utf8), in: bytes)
                case .extend(let json): splice.extend(member, with: Array(json.utf8), in: bytes)
                case .drop: break
                }
            }
            for (key, json) in appended { splice.append(key: key, json: Array(json.utf8)) }
            return splice.finish(in: bytes)
        }
    }

    private func members(of body: [UInt8]) throws -> [JSONMember] {
        try reading(body) { bytes throws(JSONError) in try JSON.members(of: bytes) }
    }

    private func rendered(_ sources: [BodySource]) -> String {
        text(render(sources, body))
    }

    private func render(_ sources: [BodySource], _ body: [UInt8]) -> [UInt8] {
        sources.flatMap { source in
            switch source {
            case .client(let range): Array(body[range])
            case .bytes(let bytes): bytes
            }
        }
    }
}
