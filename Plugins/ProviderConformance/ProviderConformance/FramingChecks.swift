import Codecs
import ProviderKit

extension ProviderConformance {
    /// How the events of a stream may be written. A response in another way of writing says the same.
    /// Sources: WHATWG HTML, section 9.2; the page ndjson.org.
    static let framingChecks: [Check] = [
        rewritten("lines may end with CRLF", .events, .lines) { $0.replacing("\n", with: "\r\n") },
        rewritten("lines may end with CR", .events) { $0.replacing("\n", with: "\r") },
        rewritten("a stream may begin with a comment", .events) { ": hello\n\n" + $0 },
        rewritten("comments may stand between events", .events) { $0.replacing("\n\n", with: "\n\n: keep-alive\n\n") },
        rewritten("comments may stand inside of events", .events) { $0.replacing("data:", with: ": x\ndata:") },
        rewritten("blank lines may stand between events", .events, .lines) { $0.replacing("}\n", with: "}\n\n") },
        rewritten("a colon needs no space behind it", .events) { $0.replacing("data: ", with: "data:") },
        rewritten("the data of an event may be in several lines", .events) { $0.replacing("data: {", with: "data: {\ndata: ") },
        rewritten("ids and reconnection times mean nothing", .events) { $0.replacing("data:", with: "id: 7\nretry: 10\ndata:") },
        rewritten("unknown fields of an event mean nothing", .events) { $0.replacing("}\n\n", with: "}\nx-trace: 1\n\n") },
        rewritten("unknown members mean nothing", .events, .lines, .object) { $0.adding(#""x_unknown":{"y":[1,"}"]},"#) },
        Check("an event may have 1 MiB") { suite in
            // One response is enough, because this takes long.
            guard let response = suite.responses.first(where: \.framing.isStream) else { return [] }
            var long = response
            let member = #""x_unknown":""# + String(repeating: "long ", count: 210_000) + "\","
            long.bytes = Array(String(decoding: response.bytes, as: UTF8.self).adding(member, toFirst: 1).utf8)
            let call = suite.call(.members([]), isStream: response.isStream)
            return suite.decode(long, call).meaning == suite.decode(response, call).meaning ? [] : ["\(response.name) says something else"]
        },
        Check("a stream that lacks only its end marker is complete") { suite in
            suite.each { response, call in
                let events = response.events, whole = suite.decode(response, call).meaning
                guard response.isStream, response.framing.isStream, events.count > 1 else { return [] }
                var shorter = response
                shorter.bytes = Array(events.dropLast().joined().utf8)
                let decoded = suite.decode(shorter, call).meaning
                guard (decoded.content, decoded.finishes) == (whole.content, whole.finishes), whole.finishes > 0 else { return [] }
                return decoded.error == nil ? [] : ["without its last event, it is a failure of the class \(decoded.error!)"]
            }
        },
        Check("a failure at any place of a stream is a failure") { suite in
            suite.each { response, call in
                guard response.framing.isStream else { return [] }
                let events = response.events
                // The last event is the end marker, or has the finish reason; what follows it means nothing.
                for place in 0..<max(0, events.count - 1) {
                    for failure in suite.failureEvents where failure.hasPrefix("{") == (response.framing == .lines) {
                        var broken = response
                        broken.bytes = Array((events[..<place].joined() + failure + events[place...].joined()).utf8)
                        if suite.decode(broken, call).meaning.error == nil { return ["after \(place) events, '\(failure)' is no failure"] }
                    }
                }
                return []
            }
        },
    ]

    /// A check that a stream in another way of writing says the same.
    ///
    /// - Parameters:
    ///   - framings: those of which the rule holds.
    ///   - rewrite: writes it the other way.
    private static func rewritten(
        _ name: String, _ framings: Framing..., rewrite: @escaping @Sendable (String) -> String
    ) -> Check {
        Check(name) { suite in
            suite.each { response, call in
                guard framings.contains(response.framing) else { return [] }
                var other = response
                other.bytes = Array(rewrite(String(decoding: response.bytes, as: UTF8.self)).utf8)
                let expected = suite.decode(response, call).meaning, meaning = suite.decode(other, call).meaning
                return meaning == expected ? [] : ["it says something else: \(meaning)"]
            }
        }
    }

    /// How the parts of a body are told apart.
    enum Framing {
        /// Server-sent events.
        case events
        /// JSON objects on lines.
        case lines
        /// One JSON object.
        case object
        /// A form that this suite doesn't rewrite.
        case other

        /// Whether a response has parts that arrive one by one as text.
        var isStream: Bool { self == .events || self == .lines }
    }
}

extension ProviderConformance.RecordedResponse {
    var framing: ProviderConformance.Framing {
        let type = head["content-type"] ?? ""
        return type.hasPrefix("text/event-stream") ? .events : type.contains("ndjson") ? .lines : type.contains("json") ? .object : .other
    }

    /// The events of a stream, with what ends each of them.
    var events: [String] {
        let end = framing == .events ? "\n\n" : "\n"
        return String(decoding: bytes, as: UTF8.self).split(after: end)
    }
}

extension String {
    fileprivate func split(after end: String) -> [String] {
        var pieces: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: end) {
            pieces.append(String(rest[..<range.upperBound]))
            rest = rest[range.upperBound...]
        }
        return rest.isEmpty ? pieces : pieces + [String(rest)]
    }

    /// Adds a member, with its comma, to the first objects that begin a line or the data of an event.
    fileprivate func adding(_ member: String, toFirst count: Int = .max) -> String {
        var added = 0
        return split(after: "\n").map { line in
            guard added < count, let start = line.firstRange(of: "{\"")?.lowerBound, ["", "data: ", "data:"].contains(line[..<start])
            else { return line }
            added += 1
            return line[..<start] + "{" + member + line[line.index(after: start)...]
        }.joined()
    }
}
