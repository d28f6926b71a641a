import Codecs
package import NIOCore

/// The header fields of a parsed head: the head's bytes and the position of each field. Strings are created on demand.
package final class HTTPFields: Sendable {
    /// The position of a field in the head. The value excludes the blanks around it.
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
    /// Bit n is set if a name has n bytes; bit 63 also stands for longer ones. Most lookups are for absent names, which
    /// this rules out quickly.
    private let nameLengths: UInt64

    /// - Parameters:
    ///   - bytes: the head; copied if it would keep a much larger read buffer alive.
    ///   - positions: must be inside `bytes` and in order.
    init(bytes: ByteBuffer, positions: [Position]) {
        self.bytes = bytes.detached()
        self.positions = positions
        nameLengths = positions.reduce(0) { $0 | Self.bit(Int($1.nameEnd &- $1.nameStart)) }
    }

    /// These fields, for a request that does not come from a connection.
    package convenience init(_ fields: [(name: String, value: String)]) {
        var bytes = ByteBuffer(), positions: [Position] = []
        for field in fields {
            let start = bytes.writerIndex
            bytes.writeString(field.name)
            let nameEnd = bytes.writerIndex
            bytes.writeString(": ")
            let valueStart = bytes.writerIndex
            bytes.writeString(field.value)
            positions.append(
                Position(
                    nameStart: UInt32(start), nameEnd: UInt32(nameEnd), valueStart: UInt32(valueStart), valueEnd: UInt32(bytes.writerIndex))
            )
            bytes.writeString("\r\n")
        }
        self.init(bytes: bytes, positions: positions)
    }

    private static func bit(_ length: Int) -> UInt64 { 1 &<< UInt64(min(length, 63)) }

    /// No fields.
    package convenience init() {
        self.init(bytes: ByteBuffer(), positions: [])
    }

    /// The first value of `name`, ignoring case; nil if absent. Bytes that are not UTF-8 become U+FFFD.
    package func value(_ name: String) -> String? {
        guard nameLengths & Self.bit(name.utf8.count) != 0 else { return nil }
        return withSpan { bytes in positions.first { matches(name, $0, bytes) } }.map { string($0.value) }
    }

    /// Calls `body` with every value of `name`, as slices of the head. `name` must be in lower case.
    package func forEachSlice(_ name: StaticString, _ body: (ByteBuffer) -> Void) {
        guard canContain(name) else { return }
        for position in positions where withSpan({ matches(name, position, $0) }) {
            let value = position.value
            if let slice = bytes.getSlice(at: bytes.readerIndex + value.lowerBound, length: value.count) { body(slice) }
        }
    }

    /// Whether there is a field `name`, which must be in lower case.
    package func contains(_ name: StaticString) -> Bool {
        canContain(name) && withSpan { bytes in positions.contains { matches(name, $0, bytes) } }
    }

    /// Whether a field's name begins with `prefix`, which must be in lower case.
    package func contains(prefix: StaticString) -> Bool {
        withSpan { bytes in positions.contains { begins($0, with: prefix, bytes) } }
    }

    /// Calls `body` with every field whose name begins with `prefix`, which must be in lower case, in order. The passed
    /// name is the complete name in lower case. Nothing is allocated if no field matches.
    package func forEach(prefix: StaticString, _ body: (_ name: String, _ value: String) -> Void) {
        for position in positions where withSpan({ begins(position, with: prefix, $0) }) {
            body(string(position.name).lowercased(), string(position.value))
        }
    }

    @inline(__always)
    private func begins(_ position: Position, with prefix: StaticString, _ bytes: borrowing Span<UInt8>) -> Bool {
        let length = prefix.utf8CodeUnitCount
        return Int(position.nameEnd &- position.nameStart) >= length && bytes.equals(prefix, in: position.name.prefix(length))
    }

    private func canContain(_ name: StaticString) -> Bool { nameLengths & Self.bit(name.utf8CodeUnitCount) != 0 }

    /// Compares the lengths first, because they differ for most fields.
    @inline(__always)
    private func matches(_ name: StaticString, _ position: Position, _ bytes: borrowing Span<UInt8>) -> Bool {
        Int(position.nameEnd &- position.nameStart) == name.utf8CodeUnitCount && bytes.equals(name, in: position.name)
    }

    @inline(__always)
    private func matches(_ name: String, _ position: Position, _ bytes: borrowing Span<UInt8>) -> Bool {
        guard Int(position.nameEnd &- position.nameStart) == name.utf8.count else { return false }
        let expected = name.utf8.span, found = bytes.extracting(position.name)
        for index in 0..<found.count where ASCII.lowercased(found[index]) != ASCII.lowercased(expected[index]) { return false }
        return true
    }

    @inline(__always)
    private func withSpan<Result>(_ body: (borrowing Span<UInt8>) -> Result) -> Result {
        bytes.withUnsafeReadableBytes { $0.withMemoryRebound(to: UInt8.self) { body($0.span) } }
    }

    private func string(_ range: Range<Int>) -> String {
        bytes.getString(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? ""
    }
}
