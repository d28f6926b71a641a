import Codecs
package import NIOCore

/// The place of a request in a distributed trace, as the fields `traceparent` and `tracestate` say it.
///
/// Source: W3C Trace Context, sections 3.2 and 3.3.
package struct TraceFields: Sendable {
    /// 128 bits, which are not all zero.
    package let traceID: (high: UInt64, low: UInt64)
    /// The id of the span whose children the receiver's spans are; not zero.
    package let spanID: UInt64
    /// Whether the sender exports the trace.
    package let isSampled: Bool
    /// What other tracing systems say of the trace: printable characters only. nil: nothing.
    package let state: String?

    package init(traceID: (high: UInt64, low: UInt64), spanID: UInt64, isSampled: Bool, state: String?) {
        (self.traceID, self.spanID, self.isSampled, self.state) = (traceID, spanID, isSampled, state)
    }

    package func write(to buffer: inout ByteBuffer) {
        buffer.writeStaticString("traceparent: 00-")
        let trace = (Hex.digits(of: traceID.high), Hex.digits(of: traceID.low)), span = Hex.digits(of: spanID)
        buffer.writeMultipleIntegers(trace.0.high, trace.0.low, trace.1.high, trace.1.low, ASCII.minus, span.high, span.low)
        buffer.writeStaticString(isSampled ? "-01\r\n" : "-00\r\n")
        guard let state else { return }
        buffer.writeStaticString("tracestate: ")
        buffer.writeString(state)
        buffer.writeStaticString("\r\n")
    }
}
