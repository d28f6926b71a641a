import NIOCore

/// The status and fields of a response, rendered as they are added. The server itself adds Content-Length,
/// Transfer-Encoding, Connection and Date.
package struct ResponseHead: Sendable {
    package var status: Int
    /// The field lines, each ending with CR LF.
    private(set) var lines = ByteBuffer.unshared(capacity: 512)

    package init(status: Int) { self.status = status }

    /// Adds fields that are known in advance, as lines that each end with CR LF.
    package mutating func add(lines: StaticString) { self.lines.writeStaticString(lines) }

    /// Adds a field. Control bytes in the value become spaces, so that a value can never split the head.
    package mutating func add(_ name: StaticString, _ value: String) {
        value.utf8.span.withUnsafeBufferPointer { value in add(name.text, valueBytes: value.count) { $0.put(value) } }
    }

    /// Adds a field whose value is written in place.
    ///
    /// - Parameter valueBytes: an upper bound for the number of bytes that `value` writes.
    package mutating func add(_ name: StaticString, valueBytes: Int, _ value: (inout WireText) -> Void) {
        add(name.text, valueBytes: valueBytes, value)
    }

    /// Adds a field whose name comes from outside. Does nothing if the name is not a token.
    package mutating func add(name: String, value: String) {
        guard !name.isEmpty, name.consists(of: Octet.isToken) else { return }
        name.utf8.span.withUnsafeBufferPointer { name in
            value.utf8.span.withUnsafeBufferPointer { value in add(name, valueBytes: value.count) { $0.put(value) } }
        }
    }

    private mutating func add(_ name: UnsafeBufferPointer<UInt8>, valueBytes: Int, _ value: (inout WireText) -> Void) {
        lines.writeText(capacity: name.count + valueBytes + 4) { text in
            text.put(name)
            text.put(Octet.colon, Octet.space)
            let start = text.count
            value(&text)
            text.replaceControls(from: start)
            text.putLineEnd()
        }
    }
}
