import Codecs
import ProviderKit

extension ProviderConformance {
    /// How responses are decoded, wherever they are cut.
    static let decodingChecks: [Check] = [
        forResponses("a response is complete in one read") { suite, response, call in
            let error = suite.decode(response, call).meaning.error
            return error.map { ["it is a failure of the class \($0)"] } ?? []
        },
        cuts("a response is the same if it comes byte by byte") { size in [Array(0..<size)] },
        cuts("a response is the same if it comes two bytes at a time") { size in [Array(stride(from: 0, to: size, by: 2))] },
        cuts("a response is the same wherever it is cut") { size in places(size).map { [$0] } },
        truncations("a truncated response is no complete one, unless it lacks no content and no finish reason") { part, whole in
            part.meaning.error == nil && (part.meaning.content, part.meaning.finishes) != (whole.meaning.content, whole.meaning.finishes)
        },
        truncations("a truncated response has no part that the complete one lacks") { part, whole in !whole.parts.starts(with: part.parts)
        },
        instead("an empty body is a failure", of: ""),
        instead("a page of HTML is a failure", of: "<!doctype html><html><body><h1>Busy</h1></body></html>"),
        instead("an error object is a failure, even with the status 200", of: #"{"error":{"message":"overloaded","code":503}}"#),
        instead("a body of an unknown form is a failure", of: "upstream connect error or disconnect"),
        forResponses("bytes after the end mean nothing") { suite, response, call in
            guard response.framing.isStream else { return [] }
            var longer = response
            longer.bytes += Array("\n\ndata: [DONE]\n\n".utf8)
            return suite.decode(longer, call) == suite.decode(response, call) ? [] : ["it decodes differently with bytes behind it"]
        },
        forResponses("64 responses can be decoded at the same time") { suite, response, call in
            let alone = suite.decode(response, call)
            let together = DecodedResponse.inTurn(response, count: 64, suite.provider, call)
            return together.allSatisfy { $0 == alone } ? [] : ["it decodes differently beside others"]
        },
        forResponses("text is collected only for a call that keeps it") { suite, response, call in
            suite.decode(response, call).text == nil ? [] : ["its text is collected although 'keepsText' is false"]
        },
        forResponses("all of the text is collected for a call that keeps it") { suite, response, call in
            let kept = suite.decode(response, suite.keeping(call))
            return kept.meaning.text.isEmpty || kept.text == kept.meaning.text ? [] : ["the collected text is not that of the response"]
        },
        forResponses("collecting the text changes nothing else") { suite, response, call in
            var kept = suite.decode(response, suite.keeping(call))
            kept.text = nil
            var plain = suite.decode(response, call)
            plain.text = nil
            return kept == plain ? [] : ["it decodes differently if its text is collected"]
        },
        invariant("the ranges of parts lie inside the bytes", \.range),
        invariant("a decoder consumes no more bytes than it gets", \.consumed),
        invariant("a chunk is one JSON object on one line", \.json),
        invariant("a frame is one event around its chunk, which can be sent as it is", \.frame),
        invariant("events come in their order: the start first, each tool call before its arguments, the finish last", \.order),
    ]

    /// A check of each response, in the provider's own format and as typed events.
    static func forResponses(_ name: String, _ find: @escaping @Sendable (ProviderConformance, RecordedResponse, Call) -> [String]) -> Check
    {
        Check(name) { suite in suite.each { find(suite, $0, $1) } }
    }

    /// Calls `find` for each response, in the provider's own format and as typed events.
    func each(_ find: (RecordedResponse, Call) -> [String]) -> [String] {
        responses.flatMap { response in
            [("passed through", Payload.members([])), ("typed", .chat(ChatRequest(messages: [])))].flatMap { way, payload in
                find(response, call(payload, isStream: response.isStream)).map { "\(response.name), \(way): \($0)" }
            }
        }
    }

    func decode(_ response: RecordedResponse, _ call: Call) -> DecodedResponse { DecodedResponse(response, provider, call) }

    private func keeping(_ call: Call) -> Call { self.call(call.payload, isStream: call.isStream, keepsText: true) }

    /// Every place of a short response, and about 300 of a longer one, so that it doesn't take minutes.
    private static func places(_ size: Int) -> [Int] { Array(stride(from: 0, to: size, by: max(1, size / 300))) }

    private static func cuts(_ name: String, _ ways: @escaping @Sendable (_ size: Int) -> [[Int]]) -> Check {
        forResponses(name) { suite, response, call in
            let keeping = suite.keeping(call)
            let expected = suite.decode(response, keeping)
            let cuts = ways(response.bytes.count).first { DecodedResponse(response, cuts: $0, suite.provider, keeping) != expected }
            return cuts.map { ["it decodes differently if it is cut at \($0.prefix(3).map(String.init).joined(separator: ", "))"] } ?? []
        }
    }

    private static func truncations(
        _ name: String, _ isWrong: @escaping @Sendable (_ part: DecodedResponse, _ whole: DecodedResponse) -> Bool
    ) -> Check {
        forResponses(name) { suite, response, call in
            let whole = suite.decode(response, call)
            let place = places(response.bytes.count).first { size in
                var truncated = response
                truncated.bytes = Array(response.bytes[..<size])
                return isWrong(suite.decode(truncated, call), whole)
            }
            return place.map { ["truncated after \($0) bytes, it is taken for more than it is"] } ?? []
        }
    }

    private static func instead(_ name: String, of body: String) -> Check {
        forResponses(name) { suite, response, call in
            var other = response
            other.bytes = Array(body.utf8)
            return suite.decode(other, call).meaning.error == nil ? ["in its place, such a body is a success"] : []
        }
    }

    /// A property of the parts that also holds for damaged responses.
    private static func invariant(_ name: String, _ breach: any KeyPath<DecodedResponse.Breaches, Bool> & Sendable) -> Check {
        forResponses(name) { suite, response, call in
            var generator = SplitMix64(state: 42)
            for index in 0..<50 {
                let bytes = index == 0 ? response : response.damaged(by: &generator)
                let decoded = DecodedResponse(bytes, cuts: index % 2 == 0 ? [] : [bytes.bytes.count / 2], suite.provider, call)
                if decoded.breaches[keyPath: breach] {
                    return [index == 0 ? "as it is" : "damaged: \(String(decoding: bytes.bytes, as: UTF8.self))"]
                }
            }
            return []
        }
    }
}

extension ProviderConformance.RecordedResponse {
    /// A copy in which up to eight bytes are changed, added or removed.
    fileprivate func damaged(by generator: inout SplitMix64) -> Self {
        var copy = self
        for _ in 0..<(1 + Int(generator.next() % 8)) where !copy.bytes.isEmpty {
            let place = Int(generator.next() % UInt64(copy.bytes.count))
            switch generator.next() % 3 {
            case 0: copy.bytes[place] = UInt8(truncatingIfNeeded: generator.next())
            case 1: copy.bytes.remove(at: place)
            default: copy.bytes.insert(UInt8(truncatingIfNeeded: generator.next()), at: place)
            }
        }
        return copy
    }
}
