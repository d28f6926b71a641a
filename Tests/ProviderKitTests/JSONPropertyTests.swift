import Codecs
import Foundation
import ProviderKit
import Testing

@Suite struct JSONPropertyTests {
    @Test("on valid texts and harmed ones the verdict is Foundation's, but for its known differences", arguments: 0..<20 as Range<UInt64>)
    func agreesWithFoundation(_ seed: UInt64) {
        var generator = JSONGenerator(seed: seed)
        for round in 0..<400 {
            let valid = Array(generator.value().utf8)
            #expect(jsonError(valid) == nil, "seed \(seed), round \(round): \(text(valid))")
            let harmed = generator.mutated(valid)
            let error = jsonError(harmed)
            let foundation = foundationAccepts(harmed)
            if (error == nil) == foundation { continue }
            let isKnown = error.map { isLeniency(at: $0.offset, of: harmed) } ?? isStrictness(harmed)
            #expect(isKnown, "seed \(seed), round \(round), ours: \(String(describing: error)): \(text(harmed).debugDescription)")
        }
    }

    @Test("a string means what Foundation says it means", arguments: 0..<10 as Range<UInt64>)
    func stringsMeanTheSame(_ seed: UInt64) throws {
        var generator = JSONGenerator(seed: seed)
        for _ in 0..<200 {
            let literal = Array(generator.string().utf8)
            let meaning = try #require(try JSONSerialization.jsonObject(with: Data(literal), options: .fragmentsAllowed) as? String)
            let range = literal.indices
            #expect(reading(literal) { JSON.string(range, in: $0) } == meaning)
            #expect(reading(literal) { JSON.decodedBytes(range, in: $0) } == Array(meaning.utf8))
            #expect(reading(literal) { JSON.contentLength(range, in: $0) } == meaning.utf8.count)
        }
    }

    @Test("walking by entering finds what skipping finds, and fails at the same byte", arguments: 0..<20 as Range<UInt64>)
    func walkEqualsSkip(_ seed: UInt64) {
        var generator = JSONGenerator(seed: seed)
        for round in 0..<200 {
            let valid = Array(generator.value().utf8)
            for bytes in [valid, generator.mutated(valid)] {
                var cursor = JSONCursor()
                let walked = reading(bytes) { bytes in
                    Result { () throws(JSONError) in
                        let value = try walk(&cursor, bytes)
                        try cursor.end(bytes)
                        return value
                    }
                }
                let skipped = reading(bytes) { bytes in
                    Result { () throws(JSONError) in
                        var cursor = JSONCursor()
                        let value = try cursor.skipValue(bytes)
                        try cursor.end(bytes)
                        return value
                    }
                }
                #expect(walked == skipped, "seed \(seed), round \(round): \(text(bytes).debugDescription)")
            }
        }
    }

    /// Enters all that can be entered.
    private func walk(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) -> JSONValue {
        let kind = try cursor.peekKind(bytes)
        let start = cursor.offset
        switch kind {
        case .object:
            try cursor.enterObject(bytes)
            while try cursor.nextKey(bytes) != nil { _ = try walk(&cursor, bytes) }
        case .array:
            try cursor.enterArray(bytes)
            while try cursor.nextElement(bytes) { _ = try walk(&cursor, bytes) }
        default:
            return try cursor.skipValue(bytes)
        }
        return JSONValue(range: start..<cursor.offset, kind: kind)
    }

    private func foundationAccepts(_ bytes: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
    }

    /// Foundation takes a comma before a closing bracket, UTF-16 and UTF-32, which it tells by their zero bytes, and a byte order mark.
    private func isLeniency(at offset: Int, of bytes: [UInt8]) -> Bool {
        let isTrailingComma =
            bytes[..<offset].last { !" \n\r\t".utf8.contains($0) } == UInt8(ascii: ",") && "]}".utf8.contains(bytes[offset])
        return isTrailingComma || bytes.prefix(4).contains(0) || bytes.starts(with: [0xef, 0xbb, 0xbf]) || bytes.starts(with: [0xff, 0xfe])
    }

    /// Foundation refuses lone surrogates, and numbers that no Double holds.
    private func isStrictness(_ bytes: [UInt8]) -> Bool {
        let text = text(bytes)
        return text.contains(/\\u[dD][89a-fA-F]/) || text.contains(/[eE]\+?[0-9]{2,}/) || text.contains(/[0-9]{19,}/)
    }
}
