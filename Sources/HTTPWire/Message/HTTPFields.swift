package import NIOCore

/// The header fields of a parsed head: the head's bytes, and where each field stands in them. No string is made before it is asked for.
package struct HTTPFields: Sendable {
    /// Where one field stands in the head; the value without blanks around it.
    struct Position: Sendable {
        var nameStart: UInt32
        var nameEnd: UInt32
        var valueStart: UInt32
        var valueEnd: UInt32

        var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
        var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
    }

    private var bytes: ByteBuffer
    private let positions: [Position]

    /// Every position lies inside `bytes`, in order.
    init(bytes: ByteBuffer, positions: [Position]) {
        self.bytes = bytes
        self.positions = positions
    }

    /// No fields.
    package init() {
        self.init(bytes: ByteBuffer(), positions: [])
    }

    /// Lets go of a read buffer much larger than the head.
    mutating func detach() { bytes = bytes.detached() }

    package var count: Int { positions.count }

    /// The first value of `name`, in any case; nil if absent. Bytes that are not UTF-8 become U+FFFD.
    package func value(_ name: String) -> String? {
        positions.first { matches(name, $0) }.map { string($0.value) }
    }

    /// Every value of `name`, in order.
    package func values(_ name: String) -> [String] {
        positions.filter { matches(name, $0) }.map { string($0.value) }
    }

    /// Passes the bytes of the first value of `name`, which is given in lower case, without allocating; nil if absent.
    package func withValue<R>(_ name: StaticString, _ body: (RawSpan) throws -> R) rethrows -> R? {
        guard let position = position(of: name) else { return nil }
        return try body(bytes.readableBytesSpan.extracting(position.value))
    }

    /// The first value of `name`, which is given in lower case, as a slice of the head; nil if absent.
    package func slice(_ name: StaticString) -> ByteBuffer? {
        guard let value = position(of: name)?.value else { return nil }
        return bytes.getSlice(at: bytes.readerIndex + value.lowerBound, length: value.count)
    }

    /// Passes every value of `name`, which is given in lower case, as a slice of the head.
    package func forEachSlice(_ name: StaticString, _ body: (ByteBuffer) -> Void) {
        for position in positions where matches(name, position) {
            let value = position.value
            if let slice = bytes.getSlice(at: bytes.readerIndex + value.lowerBound, length: value.count) { body(slice) }
        }
    }

    /// Whether `name`, which is given in lower case, is there.
    package func contains(_ name: StaticString) -> Bool { position(of: name) != nil }

    /// Whether a field's name begins with `prefix`, which is given in lower case.
    package func contains(prefix: StaticString) -> Bool { positions.contains { begins($0, with: prefix) } }

    /// Every field in order, names in lower case.
    package func forEach(_ body: (_ name: String, _ value: String) throws -> Void) rethrows {
        for position in positions { try body(string(position.name).lowercased(), string(position.value)) }
    }

    /// Passes every field whose name begins with `prefix`, which is given in lower case: the whole name in lower case, and the value. Nothing is allocated where
    /// there is none.
    package func forEach(prefix: StaticString, _ body: (_ name: String, _ value: String) -> Void) {
        for position in positions where begins(position, with: prefix) {
            body(string(position.name).lowercased(), string(position.value))
        }
    }

    @inline(__always)
    private func begins(_ position: Position, with prefix: StaticString) -> Bool {
        let length = prefix.utf8CodeUnitCount
        return Int(position.nameEnd &- position.nameStart) >= length && bytes.readableBytesUInt8Span.equals(prefix, in: position.name.prefix(length))
    }

    private func position(of name: StaticString) -> Position? {
        positions.first { matches(name, $0) }
    }

    /// Most fields are told by the length of their names.
    @inline(__always)
    private func matches(_ name: StaticString, _ position: Position) -> Bool {
        Int(position.nameEnd &- position.nameStart) == name.utf8CodeUnitCount && bytes.readableBytesUInt8Span.equals(name, in: position.name)
    }

    @inline(__always)
    private func matches(_ name: String, _ position: Position) -> Bool {
        guard Int(position.nameEnd &- position.nameStart) == name.utf8.count else { return false }
        let span = bytes.readableBytesUInt8Span.extracting(position.name)
        var name = name
        return name.withUTF8 { name in
            for index in 0..<name.count where Octet.lowercased(span[index]) != Octet.lowercased(name[index]) { return false }
            return true
        }
    }

    private func string(_ range: Range<Int>) -> String {
        bytes.getString(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? ""
    }
}
