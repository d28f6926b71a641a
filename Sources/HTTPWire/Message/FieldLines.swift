/// The strict reader of the field lines of a head or trailer section, up to the empty line that ends them. It can pause
/// after any byte. It refuses a bare CR or LF, folded lines, blanks before the colon, a name that is not a token, and
/// control bytes. Source: RFC 9112 sections 2.2 and 5.
struct FieldLines {
    private enum State { case lineStart, name, blanks, value, lineFeed, lastLineFeed, end }

    /// The index of the next byte to read in the bytes passed to `read`.
    var position: Int
    private var state: State = .lineStart
    private var nameStart = 0
    private var nameEnd = 0
    private var valueStart = 0
    private var valueEnd = 0

    init(at position: Int = 0) { self.position = position }

    /// Continues at `position`; returns true once the empty line is read. More than `limit` fields are a 431.
    mutating func read(_ bytes: borrowing Span<UInt8>, into fields: inout [HTTPFields.Position], limit: Int) throws(WireFault) -> Bool {
        try read(bytes) { (line) throws(WireFault) in
            guard fields.count < limit else { throw WireFault(431, "more than \(limit) header fields") }
            fields.append(line)
        }
    }

    /// Reads the field lines without storing them.
    mutating func skip(_ bytes: borrowing Span<UInt8>) throws(WireFault) -> Bool {
        try read(bytes) { (_) throws(WireFault) in }
    }

    @inline(__always)
    private mutating func read(
        _ bytes: borrowing Span<UInt8>, onField: (HTTPFields.Position) throws(WireFault) -> Void
    ) throws(WireFault) -> Bool {
        let end = bytes.count
        var index = position
        while index < end {
            switch state {
            case .lineStart:
                let byte = bytes[index]
                if byte == Octet.cr {
                    state = .lastLineFeed
                } else {
                    guard Octet.isToken(byte) else { throw Self.badLineStart(byte) }
                    nameStart = index
                    state = .name
                }
                index &+= 1
            case .name:
                index = Octet.firstNonToken(bytes, from: index)
                guard index < end else { break }
                guard bytes[index] == Octet.colon else {
                    throw WireFault("a header field's name must be a token with a colon right after it")
                }
                nameEnd = index
                index &+= 1
                state = .blanks
                fallthrough
            case .blanks:
                while index < end, Octet.isBlank(bytes[index]) { index &+= 1 }
                valueStart = index
                guard index < end else { break }
                state = .value
                fallthrough
            case .value:
                index = Octet.firstNonText(bytes, from: index)
                guard index < end else { break }
                guard bytes[index] == Octet.cr else {
                    throw WireFault("a header field's value contains a control byte or a bare line feed")
                }
                valueEnd = index
                index &+= 1
                state = .lineFeed
                guard index < end else { break }
                fallthrough
            case .lineFeed:
                guard bytes[index] == Octet.lf else { throw WireFault("a header field contains a bare carriage return") }
                index &+= 1
                state = .lineStart
                try onField(fieldPosition(bytes))
            case .lastLineFeed:
                guard bytes[index] == Octet.lf else { throw WireFault("the header fields end with a bare carriage return") }
                position = index &+ 1
                state = .end
                return true
            case .end:
                return true
            }
        }
        position = index
        return false
    }

    /// The position of the line just read. It is wrong if the line spans two reads and the first bytes were dropped,
    /// which happens only for trailers; those are not used.
    private func fieldPosition(_ bytes: borrowing Span<UInt8>) -> HTTPFields.Position {
        var last = min(valueEnd, bytes.count)
        while last > valueStart, Octet.isBlank(bytes[last &- 1]) { last &-= 1 }
        return HTTPFields.Position(
            nameStart: UInt32(truncatingIfNeeded: nameStart), nameEnd: UInt32(truncatingIfNeeded: nameEnd),
            valueStart: UInt32(truncatingIfNeeded: valueStart), valueEnd: UInt32(truncatingIfNeeded: last)
        )
    }

    private static func badLineStart(_ byte: UInt8) -> WireFault {
        Octet.isBlank(byte) ? WireFault("a header field is folded or indented") : WireFault("a header field must begin with a token")
    }
}
