import Codecs
import Engine
import HTTPWire

/// The parts of a span in OTLP's JSON: ids in hexadecimal, 64-bit numbers as text.
///
/// Source: OTLP 1.9, "JSON Protobuf Encoding"; opentelemetry-proto 1.9, `trace.proto` and `common.proto`.
extension JSONWriter {
    mutating func attribute(_ name: StaticString, _ value: String) {
        attribute(name) { $0.member("stringValue", value.cut(atByte: 1024)) }
    }

    /// An attribute whose name comes from the policy.
    mutating func attribute(named name: String, _ value: String) {
        object {
            $0.member("key", name)
            $0.key("value")
            $0.object { $0.member("stringValue", value.cut(atByte: 1024)) }
        }
    }

    mutating func attribute(_ name: StaticString, _ value: Int) {
        attribute(name) {
            $0.key("intValue")
            $0.quoted(value)
        }
    }

    mutating func attribute(_ name: StaticString, _ value: Bool) {
        attribute(name) { $0.member("boolValue", value) }
    }

    mutating func attribute(_ name: StaticString, _ value: Double) {
        attribute(name) {
            $0.key("doubleValue")
            $0.double(value)
        }
    }

    /// A list of texts.
    mutating func attribute(_ name: StaticString, _ values: [String]) {
        attribute(name) {
            $0.key("arrayValue")
            $0.object {
                $0.key("values")
                $0.array { list in for value in values { list.object { $0.member("stringValue", value.cut(atByte: 1024)) } } }
            }
        }
    }

    /// A value that the conventions want as JSON in a text.
    mutating func jsonAttribute(_ name: StaticString, _ json: (inout JSONWriter) -> Void) {
        var writer = JSONWriter(capacity: 4096)
        json(&writer)
        attribute(name) { $0.member("stringValue", String(decoding: writer.bytes, as: UTF8.self)) }
    }

    private mutating func attribute(_ name: StaticString, _ value: (inout JSONWriter) -> Void) {
        object {
            $0.key("key")
            $0.plain(name)
            $0.key("value")
            $0.object(value)
        }
    }

    /// - Parameter nanoseconds: since 1970.
    mutating func time(_ name: StaticString, _ nanoseconds: Int) {
        key(name)
        quoted(nanoseconds)
    }

    mutating func traceID(_ name: StaticString, of trace: TraceContext) {
        key(name)
        hexadecimal([trace.traceID.high, trace.traceID.low])
    }

    mutating func spanID(_ name: StaticString, _ id: UInt64) {
        key(name)
        hexadecimal([id])
    }
}
