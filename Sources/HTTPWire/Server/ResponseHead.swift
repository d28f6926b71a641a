/// The status and fields of an answer, rendered as they are added. Content-Length, Transfer-Encoding, Connection and Date are the server's own.
package struct ResponseHead: Sendable {
    package var status: Int
    /// Field lines, each with its CR LF.
    private(set) var lines: [UInt8] = []

    package init(status: Int) { self.status = status }

    /// Adds a field. Control bytes in the value become spaces, so that it can never split the head.
    package mutating func add(_ name: StaticString, _ value: String) {
        name.withUTF8Buffer { addName($0) }
        addValue(value.utf8)
    }

    package mutating func add(_ name: StaticString, bytes: [UInt8]) {
        name.withUTF8Buffer { addName($0) }
        addValue(bytes)
    }

    /// Adds a field whose name is not known here; one that is no token is left out.
    package mutating func add(name: String, value: String) {
        guard !name.isEmpty, name.utf8.allSatisfy(Octet.isToken) else { return }
        addName(name.utf8)
        addValue(value.utf8)
    }

    private mutating func addName(_ name: some Sequence<UInt8>) {
        if lines.isEmpty { lines.reserveCapacity(256) }
        lines.append(contentsOf: name)
        lines.append(Octet.colon)
        lines.append(Octet.space)
    }

    private mutating func addValue(_ value: some Sequence<UInt8>) {
        let start = lines.count
        lines.append(contentsOf: value)
        for index in start..<lines.count where !Octet.isText(lines[index]) { lines[index] = Octet.space }
        lines.append(Octet.cr)
        lines.append(Octet.lf)
    }
}
