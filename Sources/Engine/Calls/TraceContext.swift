import Codecs
package import HTTPWire
package import ProviderKit

/// The place of a request in a distributed trace. Source: W3C Trace Context, section 3.2, "Traceparent Header".
///
/// A class, because most routers trace nothing, and the requests that have none then store only an empty reference.
package final class TraceContext: Sendable, Equatable {
    /// 128 bits, which are not all zero.
    package let traceID: (high: UInt64, low: UInt64)
    /// The id of the request's own span; not zero.
    package let spanID: UInt64
    /// The id of the client's span; nil if the trace begins here.
    package let parentID: UInt64?
    /// Whether the request's spans are exported whatever becomes of it. Those of a failed request always are.
    package let isSampled: Bool
    /// What the tracing systems before this one say of the trace, without changes; nil if they say nothing.
    package let state: String?

    /// A client that sends a trace decides whether it is sampled. Otherwise a new trace begins, and its id decides.
    ///
    /// - Parameters:
    ///   - traceparent: the client's header field; nil if there is none. One that isn't valid counts as none.
    ///   - tracestate: the values of the client's fields of this name, in order. Without a valid `traceparent` they
    ///     mean nothing.
    ///   - sample: the share of the traces that are sampled, 0 to 1.
    ///   - random: 64 random bits.
    package init(traceparent: String?, tracestate: [String] = [], sample: Double, random: () -> UInt64) {
        spanID = Self.nonzero(random())
        if let parent = traceparent.flatMap(Self.parsed) {
            (traceID, parentID, isSampled) = (parent.traceID, parent.spanID, parent.isSampled)
            state = Self.state(tracestate)
        } else {
            state = nil
            traceID = (random(), Self.nonzero(random()))
            parentID = nil
            // The last 56 bits decide, as in other samplers. Source: OpenTelemetry, "TraceState: Probability Sampling".
            isSampled = Double(traceID.low & Self.sampledBits) >= (1 - sample) * Double(Self.sampledBits + 1)
        }
    }

    package static func == (one: TraceContext, other: TraceContext) -> Bool {
        one.traceID == other.traceID && one.spanID == other.spanID && one.parentID == other.parentID && one.isSampled == other.isSampled
            && one.state == other.state
    }

    private static let sampledBits: UInt64 = 1 << 56 - 1

    /// Several fields count as one list. One that is too long loses its last members, which are the oldest; one with
    /// other than printable characters isn't valid.
    ///
    /// Source: W3C Trace Context, sections 3.3.1 and 3.3.1.5: at least 512 characters are to be passed on.
    private static func state(_ fields: [String]) -> String? {
        if fields.isEmpty { return nil }
        let members = fields.flatMap { $0.split(separator: ",") }
        guard members.allSatisfy({ $0.utf8.allSatisfy { 0x20...0x7E ~= $0 || $0 == 0x09 } }) else { return nil }
        var state = ""
        for member in members.lazy.map({ $0.trimmed }) where !member.isEmpty {
            guard state.utf8.count + 1 + member.utf8.count <= maxStateBytes else { break }
            state += state.isEmpty ? member : ",\(member)"
        }
        return state.isEmpty ? nil : state
    }

    private static let maxStateBytes = 512

    private static func nonzero(_ number: UInt64) -> UInt64 { max(1, number) }
}

extension TraceContext {
    /// 32 hexadecimal digits.
    package var traceText: String { Self.hex(traceID.high) + Self.hex(traceID.low) }

    /// The id of an attempt's span. It is derived, so that attempts need not store one; a request that is sent again as
    /// a part of its attempt has the same.
    ///
    /// - Parameters:
    ///   - start: when the attempt began, after the request's arrival.
    ///   - model: the attempt's model, an index into the models of the call's policy.
    package func spanID(ofAttemptAt start: Duration, model: Int) -> UInt64 {
        var mixed = SplitMix64(seed: spanID ^ UInt64(bitPattern: start.wholeNanoseconds) ^ UInt64(truncatingIfNeeded: model) << 48)
        return Self.nonzero(mixed.next())
    }

    /// The header fields for a request of that attempt.
    package func fields(ofAttemptAt start: Duration, model: Int) -> TraceFields {
        TraceFields(traceID: traceID, spanID: spanID(ofAttemptAt: start, model: model), isSampled: isSampled, state: state)
    }

    /// 16 hexadecimal digits.
    package static func hex(_ number: UInt64) -> String {
        let digits = Hex.digits(of: number)
        return withUnsafeBytes(of: (digits.high.bigEndian, digits.low.bigEndian)) { String(decoding: $0, as: UTF8.self) }
    }

    /// `00-TRACE-SPAN-FLAGS`, in lower case; nil if the text isn't valid. A later version may have more behind it.
    private static func parsed(_ text: String) -> (traceID: (high: UInt64, low: UInt64), spanID: UInt64, isSampled: Bool)? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 55,
            bytes.prefix(55).allSatisfy({ $0 == ASCII.minus || ASCII.hexDigit($0) != nil && !(0x41...0x46).contains($0) })
        else {
            return nil
        }
        func number(_ range: Range<Int>) -> UInt64? {
            bytes[range].reduce(UInt64?.some(0)) { sum, byte in
                sum.flatMap { sum in ASCII.hexDigit(byte).map { sum << 4 | UInt64($0) } }
            }
        }
        guard bytes[2] == ASCII.minus, bytes[35] == ASCII.minus, bytes[52] == ASCII.minus, let version = number(0..<2), version != 0xFF,
            bytes.count == 55 || version != 0 && bytes[55] == ASCII.minus,
            let high = number(3..<19), let low = number(19..<35), high | low != 0, let span = number(36..<52), span != 0,
            let flags = number(53..<55)
        else { return nil }
        return ((high, low), span, flags & 1 == 1)
    }
}

/// What the spans of a request are made from, besides its record.
package final class SpanSource {
    /// The path of the endpoint, with `{id}` in the place of what differs.
    package let route: String
    /// `http` or `https`.
    package let scheme: String
    /// nil if the request led to no call.
    package let call: RunningCall?
    /// nil unless the policy exports what chats say.
    package let content: ChatContent?

    package init(route: String, scheme: String, call: RunningCall?, content: ChatContent? = nil) {
        (self.route, self.scheme, self.call, self.content) = (route, scheme, call, content)
    }
}

/// A chat as typed values.
package struct ChatContent: Sendable {
    package let request: ChatRequest
    /// Empty if the client got no response.
    package let response: [ChatEvent]

    package init(request: ChatRequest, response: [ChatEvent]) { (self.request, self.response) = (request, response) }
}

extension Substring {
    /// Without blanks and tabs around it.
    fileprivate var trimmed: Substring {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        guard let last = lastIndex(where: { !isBlank($0) }) else { return "" }
        return self[...last].drop(while: isBlank)
    }
}
