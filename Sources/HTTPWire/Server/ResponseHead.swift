import NIOCore

/// The status and fields of a response, rendered as they are added. Content-Length, Transfer-Encoding, Connection and Date are the server's own.
package struct ResponseHead: Sendable {
    package var status: Int
    /// Field lines, each with its CR LF.
    private(set) var lines = ByteBuffer.unshared(capacity: 512)

    package init(status: Int) { self.status = status }

    /// Adds a field. Control bytes in the value become spaces, so that it can never split the head.
    package mutating func add(_ name: StaticString, _ value: String) {
        value.utf8.span.withUnsafeBufferPointer { value in add(name.text, valueBytes: value.count) { $0.put(value) } }
    }

    /// - Parameter valueBytes: at least as many as `value` puts.
    package mutating func add(_ name: StaticString, valueBytes: Int, _ value: (inout FieldText) -> Void) {
        add(name.text, valueBytes: valueBytes, value)
    }

    /// Adds a field whose name is not known here; one that is no token is left out.
    package mutating func add(name: String, value: String) {
        guard !name.isEmpty, name.consists(of: Octet.isToken) else { return }
        name.utf8.span.withUnsafeBufferPointer { name in
            value.utf8.span.withUnsafeBufferPointer { value in add(name, valueBytes: value.count) { $0.put(value) } }
        }
    }

    private mutating func add(_ name: UnsafeBufferPointer<UInt8>, valueBytes: Int, _ value: (inout FieldText) -> Void) {
        let length = name.count + valueBytes + 4
        lines.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { room in
            var text = FieldText(room)
            text.put(name)
            text.put(": ")
            let start = text.count
            value(&text)
            text.blank(from: start)
            text.put("\r\n")
            return text.count
        }
    }
}

/// A place for a field's text; what it has no room for is left out.
package struct FieldText: ~Copyable {
    private let room: UnsafeMutableRawBufferPointer
    fileprivate private(set) var count = 0

    fileprivate init(_ room: UnsafeMutableRawBufferPointer) { self.room = room }

    package mutating func put(_ text: StaticString) { put(text.text) }

    /// `value` divided by a thousand: 1500 is written `1.500`, 2000 `2`. Not for negative values.
    package mutating func put(thousandths value: Int) {
        guard room.count - count >= 24 else { return }
        let (whole, rest) = value.quotientAndRemainder(dividingBy: 1000)
        count += Decimal.write(whole, to: UnsafeMutableRawBufferPointer(rebasing: room[count...]))
        if rest > 0 {
            // The point takes the place of the one before them.
            let digits = Decimal.write(1000 + rest, to: UnsafeMutableRawBufferPointer(rebasing: room[count...]))
            room[count] = UInt8(ascii: ".")
            count += digits
        }
    }

    fileprivate mutating func put(_ text: UnsafeBufferPointer<UInt8>) {
        let length = min(text.count, room.count - count)
        guard length > 0, let source = text.baseAddress, let start = room.baseAddress else { return }
        (start + count).copyMemory(from: source, byteCount: length)
        count += length
    }

    /// Makes spaces of control bytes.
    fileprivate mutating func blank(from start: Int) {
        room.withMemoryRebound(to: UInt8.self) { text in
            let text = UnsafeMutableBufferPointer(rebasing: text[..<count])
            var index = Octet.firstNonText(text.span, from: start)
            while index < count {
                text[index] = Octet.space
                index = Octet.firstNonText(text.span, from: index + 1)
            }
        }
    }
}
