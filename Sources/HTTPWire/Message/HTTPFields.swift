package import NIOCore

/// The header fields of a parsed head: the head's bytes, and where each field stands in them. No string is made before it is asked for.
package final class HTTPFields: Sendable {
    /// Where one field stands in the head; the value without blanks around it.
    struct Position: Sendable {
        var nameStart: UInt32
        var nameEnd: UInt32
        var valueStart: UInt32
        var valueEnd: UInt32

        var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
        var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
    }

    private let bytes: ByteBuffer
    private let positions: [Position]
    /// A bit for each length of a name, the last for all above: most names that are asked for are absent, and this tells it.
    private let nameLengths: UInt64

    /// Every position lies inside `bytes`, in order. A read buffer much larger than the head is let go of.
    init(bytes: ByteBuffer, positions: [Position]) {
        self.bytes = bytes.detached()
        self.positions = positions
        nameLengths = positions.reduce(0) { $0 | Self.bit(Int($1.nameEnd &- $1.nameStart)) }
    }

    private static func bit(_ length: Int) -> UInt64 { 1 &<< UInt64(min(length, 63)) }

    /// No fields.
    package convenience init() {
        self.init(bytes: ByteBuffer(), positions: [])
    }

    package var count: Int { positions.count }

    /// The first value of `name`, in any case; nil if absent. Bytes that are not UTF-8 become U+FFFD.
    package func value(_ name: String) -> String? {
        guard nameLengths & Self.bit(name.utf8.count) != 0 else { return nil }
        return positions.first { matches(name, $0) }.map { string($0.value) }
    }

    /// Passes every value of `name`, which is given in lower case, as a slice of the head.
    package func forEachSlice(_ name: StaticString, _ body: (ByteBuffer) -> Void) {
        guard mayHave(name) else { return }
        for position in positions where matches(name, position) {
            let value = position.value
            if let slice = bytes.getSlice(at: bytes.readerIndex + value.lowerBound, length: value.count) { body(slice) }
        }
    }

    /// Whether `name`, which is given in lower case, is there.
    package func contains(_ name: StaticString) -> Bool { mayHave(name) && positions.contains { matches(name, $0) } }

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
        return Int(position.nameEnd &- position.nameStart) >= length && withSpan { $0.equals(prefix, in: position.name.prefix(length)) }
    }

    private func mayHave(_ name: StaticString) -> Bool { nameLengths & Self.bit(name.utf8CodeUnitCount) != 0 }

    /// Most fields are told by the length of their names.
    @inline(__always)
    private func matches(_ name: StaticString, _ position: Position) -> Bool {
        Int(position.nameEnd &- position.nameStart) == name.utf8CodeUnitCount && withSpan { $0.equals(name, in: position.name) }
    }

    @inline(__always)
    private func matches(_ name: String, _ position: Position) -> Bool {
        guard Int(position.nameEnd &- position.nameStart) == name.utf8.count else { return false }
        let expected = name.utf8.span
        return withSpan { bytes in
            let found = bytes.extracting(position.name)
            for index in 0..<found.count where Octet.lowercased(found[index]) != Octet.lowercased(expected[index]) { return false }
            return true
        }
    }

    @inline(__always)
    private func withSpan(_ body: (borrowing Span<UInt8>) -> Bool) -> Bool {
        bytes.withUnsafeReadableBytes { $0.withMemoryRebound(to: UInt8.self) { body($0.span) } }
    }

    private func string(_ range: Range<Int>) -> String {
        bytes.getString(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? ""
    }
}
