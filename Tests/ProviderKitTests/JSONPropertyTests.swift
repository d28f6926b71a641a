import Codecs
import Foundation
import ProviderKit
import TestSupport
import Testing

@Suite struct JSONPropertyTests {
    @Test(
        "valid and damaged texts get the same verdict as from Foundation, except for known differences", arguments: 0..<20 as Range<UInt64>)
    func agreesWithFoundation(_ seed: UInt64) {
        var generator = JSONGenerator(seed: seed)
        for round in 0..<400 {
            let valid = Array(generator.value().utf8)
            #expect(jsonError(valid) == nil, "seed \(seed), round \(round): \(text(valid))")
            let damaged = generator.mutated(valid)
            let error = jsonError(damaged)
            let foundation = foundationAccepts(damaged)
            if (error == nil) == foundation { continue }
            let isKnown = error.map { FoundationJSON.isLenient(at: $0.offset, of: damaged) } ?? FoundationJSON.isStrict(damaged)
            #expect(isKnown, "seed \(seed), round \(round), ours: \(String(describing: error)): \(text(damaged).debugDescription)")
        }
    }

    @Test("a string decodes as in Foundation", arguments: 0..<10 as Range<UInt64>)
    func decodesStrings(_ seed: UInt64) throws {
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

    @Test("entering all values finds the same as skipping them, and fails at the same byte", arguments: 0..<20 as Range<UInt64>)
    func walkEqualsSkip(_ seed: UInt64) {
        var generator = JSONGenerator(seed: seed)
        for round in 0..<200 {
            let valid = Array(generator.value().utf8)
            for bytes in [valid, generator.mutated(valid)] {
                var cursor = JSONCursor()
                let walked = reading(bytes) { bytes in
                    Result { () throws(JSONError) in
                        let value = try cursor.walk(bytes)
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

    private func foundationAccepts(_ bytes: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
    }
}
