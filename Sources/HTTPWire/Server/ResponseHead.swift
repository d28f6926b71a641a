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
    package mutating func add(_ name: StaticString, valueBytes: Int, _ value: (inout FieldText) -> Void) {
        add(name.text, valueBytes: valueBytes, value)
    }

    /// Adds a field whose name comes from outside. Does nothing if the name is not a token.
    package mutating func add(name: String, value: String) {
        guard !name.isEmpty, name.consists(of: Octet.isToken) else { return }
        name.utf8.span.withUnsafeBufferPointer { name in
            value.utf8.span.withUnsafeBufferPointer { value in add(name, valueBytes: value.count) { $0.put(value) } }
        }
    }

    private mutating func add(_ name: UnsafeBufferPointer<UInt8>, valueBytes: Int, _ value: (inout FieldText) -> Void) {
        let length = name.count + valueBytes + 4
        lines.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { memory in
            var text = FieldText(memory)
            text.put(name)
            text.put(": ")
            let start = text.count
            value(&text)
            text.replaceControls(from: start)
            text.put("\r\n")
            return text.count
        }
    }
}

/// A fixed-size buffer for a field's text; text beyond its end is dropped.
package struct FieldText: ~Copyable {
    private let memory: UnsafeMutableRawBufferPointer
    fileprivate private(set) var count = 0

    fileprivate init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    package mutating func put(_ text: StaticString) { put(text.text) }

    /// Writes `value / 1000` with up to three decimals: 1500 becomes `1.500`, 2000 becomes `2`. `value` must not be
    /// negative.
    package mutating func put(thousandths value: Int) {
        guard memory.count - count >= 24 else { return }
        let (whole, rest) = value.quotientAndRemainder(dividingBy: 1000)
        count += Decimal.write(whole, to: UnsafeMutableRawBufferPointer(rebasing: memory[count...]))
        if rest > 0 {
            // 1000 + rest keeps leading zeros; the point replaces its first digit.
            let digits = Decimal.write(1000 + rest, to: UnsafeMutableRawBufferPointer(rebasing: memory[count...]))
            memory[count] = UInt8(ascii: ".")
            count += digits
        }
    }

    fileprivate mutating func put(_ text: UnsafeBufferPointer<UInt8>) {
        let length = min(text.count, memory.count - count)
        guard length > 0, let source = text.baseAddress, let start = memory.baseAddress else { return }
        (start + count).copyMemory(from: source, byteCount: length)
        count += length
    }

    /// Replaces control bytes with spaces.
    fileprivate mutating func replaceControls(from start: Int) {
        memory.withMemoryRebound(to: UInt8.self) { text in
            let text = UnsafeMutableBufferPointer(rebasing: text[..<count])
            var index = Octet.firstNonText(text.span, from: start)
            while index < count {
                text[index] = Octet.space
                index = Octet.firstNonText(text.span, from: index + 1)
            }
        }
    }
}
