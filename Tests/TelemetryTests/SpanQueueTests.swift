import Codecs
import Engine
import Testing

@testable import Telemetry

/// What happens with spans that wait for their export.
struct SpanQueueTests {
    private static func spans(_ text: String, count: Int = 1) -> SpanQueue.Spans { .init(json: Array(text.utf8), count: count) }

    @Test
    func `the first span waits for others, and then all of them are exported at once`() {
        var queue = SpanQueue()
        #expect(queue.add(Self.spans("a")) == .wake(after: .seconds(1)))
        #expect(queue.add(Self.spans("b", count: 2)) == .nothing)
        #expect(queue.due() == [Self.spans("a"), Self.spans("b", count: 2)])
        // Meanwhile a third one arrives.
        #expect(queue.add(Self.spans("c")) == .nothing && queue.due() == nil)
        #expect(queue.ended(.accepted(rejected: 0)) == .wake(after: .seconds(1)))
        #expect(queue.exported == 3 && !queue.isEmpty)
        #expect(queue.due() == [Self.spans("c")])
        #expect(queue.ended(.accepted(rejected: 0)) == .nothing)
        #expect(queue.isEmpty && queue.exported == 4 && queue.dropped == 0 && queue.due() == nil)
    }

    @Test
    func `an export that the collector can't take now is repeated, later each time, and then dropped`() {
        var queue = SpanQueue()
        _ = queue.add(Self.spans("a", count: 3))
        for wait in [1, 2, 4, 8] {
            #expect(queue.due() == [Self.spans("a", count: 3)])
            #expect(queue.ended(.unavailable(retryAfter: nil)) == .wake(after: .seconds(wait)))
        }
        #expect(queue.due() == [Self.spans("a", count: 3)])
        #expect(queue.ended(.unavailable(retryAfter: nil)) == .nothing)
        #expect(queue.dropped == 3 && queue.isEmpty)
        // The next one begins anew.
        _ = queue.add(Self.spans("b"))
        _ = queue.due()
        #expect(queue.ended(.unavailable(retryAfter: .seconds(7))) == .wake(after: .seconds(7)))
        _ = queue.due()
        #expect(queue.ended(.unavailable(retryAfter: .seconds(3600))) == .wake(after: SpanQueue.maxWait))
        _ = queue.due()
        #expect(queue.ended(.accepted(rejected: 0)) == .nothing && queue.exported == 1)
    }

    @Test
    func `what the collector refuses is dropped, and so is what it leaves out`() {
        var queue = SpanQueue()
        _ = queue.add(Self.spans("a", count: 3))
        _ = queue.due()
        #expect(queue.ended(.refused) == .nothing && queue.dropped == 3)
        _ = queue.add(Self.spans("b", count: 5))
        _ = queue.due()
        #expect(queue.ended(.accepted(rejected: 2)) == .nothing && queue.exported == 3 && queue.dropped == 5)
        _ = queue.add(Self.spans("c", count: 5))
        _ = queue.due()
        _ = queue.ended(.accepted(rejected: 99))
        #expect(queue.exported == 3 && queue.dropped == 10)
    }

    @Test
    func `the queue and an export are bounded`() {
        var queue = SpanQueue()
        let large = SpanQueue.Spans(json: Array(repeating: 0x78, count: 300 << 10), count: 1)
        for _ in 0..<100 { _ = queue.add(large) }
        let kept = SpanQueue.maxBytes / (300 << 10)
        #expect(queue.dropped == 100 - kept)
        var exports = 0
        while let export = queue.due() {
            exports += 1
            #expect(export.count == 1)
            let action = queue.ended(.accepted(rejected: 0))
            #expect(exports < kept - 1 ? action == .wake(after: .zero) : true)
        }
        #expect(exports == kept && queue.exported == kept)
        // A request whose spans are more than an export may have is exported alone.
        let huge = SpanQueue.Spans(json: Array(repeating: 0x78, count: SpanQueue.maxExportBytes + 1), count: 1)
        _ = queue.add(huge)
        _ = queue.add(large)
        #expect(queue.due() == [huge])
    }

    @Test
    func `without a collector everything that waits is dropped`() {
        var queue = SpanQueue()
        _ = queue.add(Self.spans("a", count: 2))
        _ = queue.due()
        _ = queue.add(Self.spans("b"))
        queue.drop()
        #expect(queue.isEmpty && queue.dropped == 3)
        #expect(queue.add(Self.spans("c")) == .wake(after: .seconds(1)))
    }

    @Test(arguments: [
        ("", 0), ("{}", 0), (#"{"partialSuccess":{}}"#, 0), (#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"x"}}"#, 3),
        (#"{"partialSuccess":{"rejectedSpans":4}}"#, 4), (#"{"partialSuccess":{"rejectedSpans":"99999999999999999999"}}"#, 0), ("[", 0),
    ])
    func `the response says how many spans the collector has left out`(body: String, count: Int) {
        #expect(SpanExporter.rejectedSpans(in: Array(body.utf8)) == count)
    }

    @Test
    func `a request without a call has one span, byte for byte`() {
        let context = TraceContext(traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", sample: 1) { 0xABC }
        let record = RequestRecord(
            requestID: "req-1", endpoint: "chat", method: "POST", path: "/chat/completions", remoteHost: "::1", key: "team",
            requestedModel: "gpt-\"9", status: 404, bytesReceived: 1, bytesSent: 2, error: "model_not_found", message: "not shown",
            duration: .milliseconds(3))
        let source = SpanSource(route: "/v1/chat/completions", scheme: "https", call: nil)
        var writer = JSONWriter()
        #expect(record.writeSpans(context, source, end: Timestamp(seconds: 1_795_246_098, milliseconds: 7), to: &writer) == 1)
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"0000000000000abc","parentSpanId":"00f067aa0ba902b7","#
                + #""name":"POST /v1/chat/completions","kind":2,"startTimeUnixNano":"1795246098004000000","#
                + #""endTimeUnixNano":"1795246098007000000","attributes":["#
                + [
                    #"{"key":"http.request.method","value":{"stringValue":"POST"}}"#,
                    #"{"key":"http.route","value":{"stringValue":"/v1/chat/completions"}}"#,
                    #"{"key":"http.response.status_code","value":{"intValue":"404"}}"#,
                    #"{"key":"url.path","value":{"stringValue":"/chat/completions"}}"#,
                    #"{"key":"url.scheme","value":{"stringValue":"https"}}"#,
                    #"{"key":"client.address","value":{"stringValue":"::1"}}"#,
                    #"{"key":"error.type","value":{"stringValue":"model_not_found"}}"#,
                    #"{"key":"llm_router.request_id","value":{"stringValue":"req-1"}}"#,
                    #"{"key":"llm_router.endpoint","value":{"stringValue":"chat"}}"#,
                    #"{"key":"llm_router.key","value":{"stringValue":"team"}}"#,
                    #"{"key":"llm_router.requested_model","value":{"stringValue":"gpt-\"9"}}"#,
                ].joined(separator: ",") + "]}")
    }
}
