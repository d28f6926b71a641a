import HTTPWire
import NIOCore
import Testing

@testable import Engine

/// Where a request stands in a trace.
struct TraceContextTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let parent = "00-\(trace)-00f067aa0ba902b7-01"

    private static func context(_ traceparent: String?, sample: Double = 0, seed: UInt64 = 1) -> TraceContext {
        var random = SplitMix64(seed: seed)
        return TraceContext(traceparent: traceparent, sample: sample) { random.next() }
    }

    @Test
    func `the client's span is the parent, and its decision counts`() {
        let sampled = Self.context(Self.parent), other = Self.context("00-\(Self.trace)-00f067aa0ba902b7-00", sample: 1)
        #expect(sampled.traceText == Self.trace && sampled.parentID == 0x00f0_67aa_0ba9_02b7 && sampled.isSampled)
        #expect(other.traceText == Self.trace && !other.isSampled)
        #expect(sampled.spanID != sampled.parentID)
    }

    // Source: W3C Trace Context, section 3.2.2 and its test suite.
    static let invalid = [
        "", "00", "00-\(trace)-00f067aa0ba902b7", "00-\(trace)-00f067aa0ba902b7-0", "00-\(trace)-00f067aa0ba902b7-01-what",
        "ff-\(trace)-00f067aa0ba902b7-01", "00-\(trace.uppercased())-00f067aa0ba902b7-01", "00-\(trace)-0000000000000000-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-\(trace)x00f067aa0ba902b7-01", "0x-\(trace)-00f067aa0ba902b7-01",
        "00-\(trace)-00f067aa0ba902b7-01.", "01-\(trace)-00f067aa0ba902b7-01what", " \(parent)", "\(parent), \(parent)",
        "00-\(trace.dropLast())é-00f067aa0ba902b7-01", String(repeating: "-", count: 55),
    ]

    @Test(arguments: invalid)
    func `a field that isn't valid counts as none`(field: String) {
        let context = Self.context(field, sample: 1)
        #expect(context.parentID == nil && context.traceText != Self.trace && context.isSampled)
    }

    @Test(arguments: ["01-\(trace)-00f067aa0ba902b7-01", "cc-\(trace)-00f067aa0ba902b7-09-what-follows"])
    func `a later version is read as far as this one goes`(field: String) {
        let context = Self.context(field)
        #expect(context.traceText == Self.trace && context.isSampled)
    }

    @Test(arguments: [(0.0, 0...0), (0.01, 2...25), (0.5, 440...560), (1, 1000...1000)])
    func `of the traces that begin here, a share is sampled`(share: Double, counts: ClosedRange<Int>) {
        var random = SplitMix64(seed: 5)
        let contexts = (0..<1000).map { _ in TraceContext(traceparent: nil, sample: share) { random.next() } }
        #expect(counts.contains(contexts.count(where: \.isSampled)))
        #expect(Set(contexts.map(\.traceText)).count == 1000 && contexts.allSatisfy { $0.traceText.count == 32 })
    }

    static let states: [(fields: [String], state: String?)] = [
        ([], nil), ([""], nil), (["a=1"], "a=1"), (["a=1, b=2", "\tc=3 ,,"], "a=1,b=2,c=3"), (["a=\u{7F}"], nil), (["a=1", "b=é"], nil),
        (["a=1," + String(repeating: "x", count: 508), "b=2"], "a=1," + String(repeating: "x", count: 508)),
        ([String(repeating: "x", count: 513) + ",a=1"], nil), (["a=1," + String(repeating: "x", count: 509) + ",b=2"], "a=1"),
    ]

    @Test(arguments: states)
    func `what other tracing systems say is passed on as one list, and its end is left out if it is too long`(
        fields: [String], state: String?
    ) {
        func passedOn(_ parent: String?) -> String? { TraceContext(traceparent: parent, tracestate: fields, sample: 1) { 1 }.state }
        #expect(passedOn(Self.parent) == state)
        // Without a parent it belongs to no trace.
        #expect(passedOn(nil) == nil && passedOn("00-x") == nil)
    }

    @Test
    func `ids are never zero`() {
        let context = TraceContext(traceparent: nil, sample: 1) { 0 }
        #expect(context.spanID != 0 && context.traceText == String(repeating: "0", count: 31) + "1")
    }

    @Test
    func `each attempt has a span of its own, which the provider's spans belong to`() {
        let context = Self.context(Self.parent)
        let ids = [(0, 0), (0, 1), (1, 0), (2_000_000, 0)].map { context.spanID(ofAttemptAt: .nanoseconds($0.0), model: $0.1) }
        #expect(Set(ids + [context.spanID]).count == 5)
        var fields = ByteBuffer()
        context.fields(ofAttemptAt: .zero, model: 0).write(to: &fields)
        #expect(String(buffer: fields) == "traceparent: 00-\(Self.trace)-\(TraceContext.hex(ids[0]))-01\r\n")
        #expect(TraceContext.hex(0xAB) == "00000000000000ab")
    }
}
