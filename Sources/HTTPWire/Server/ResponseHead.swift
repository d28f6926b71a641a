/// The status and fields of an answer, rendered as they are added. Content-Length, Transfer-Encoding, Connection and Date are the server's own.
package struct ResponseHead: Sendable {
    package var status: Int
    /// Field lines, each with its CR LF.
    private(set) var lines: [UInt8] = []

    package init(status: Int) { self.status = status }

    /// Adds a field. Control bytes in the value become spaces, so that it can never split the head.
    package mutating func add(_ name: StaticString, _ value: String) {
        name.withUTF8Buffer { addName($0) }
        addValue(value)
    }

    package mutating func add(_ name: StaticString, bytes: [UInt8]) {
        name.withUTF8Buffer { addName($0) }
        addValue(bytes.span)
    }

    /// Adds a field whose name is not known here; one that is no token is left out.
    package mutating func add(name: String, value: String) {
        guard !name.isEmpty, name.consists(of: Octet.isToken) else { return }
        var name = name
        name.withUTF8 { addName($0) }
        addValue(value)
    }

    private mutating func addName(_ name: UnsafeBufferPointer<UInt8>) {
        if lines.isEmpty { lines.reserveCapacity(256) }
        lines.append(contentsOf: name)
        lines.append(Octet.colon)
        lines.append(Octet.space)
    }

    private mutating func addValue(_ value: String) { addValue(value.utf8Span.span) }

    private mutating func addValue(_ value: Span<UInt8>) {
        value.withUnsafeBufferPointer { value in
            if value.allSatisfy(Octet.isText) {
                lines.append(contentsOf: value)
            } else {
                for byte in value { lines.append(Octet.isText(byte) ? byte : Octet.space) }
            }
        }
        lines.append(Octet.cr)
        lines.append(Octet.lf)
    }
}
