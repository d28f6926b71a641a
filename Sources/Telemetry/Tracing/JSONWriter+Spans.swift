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

    mutating func attribute(_ name: StaticString, _ value: Int) {
        attribute(name) { $0.member("intValue", "\(value)") }
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

    private mutating func attribute(_ name: StaticString, _ value: (inout JSONWriter) -> Void) {
        object {
            $0.key("key")
            $0.string("\(name)")
            $0.key("value")
            $0.object(value)
        }
    }

    /// - Parameter nanoseconds: since 1970.
    mutating func time(_ name: StaticString, _ nanoseconds: Int) { member(name, "\(nanoseconds)") }

    mutating func spanID(_ name: StaticString, _ id: UInt64) { member(name, TraceContext.hex(id)) }
}
