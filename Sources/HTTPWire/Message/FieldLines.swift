import NIOCore

/// The strict reader of field lines up to the empty line that ends them, of heads and of trailers. It goes on after any byte, so cuts mean nothing to it.
/// Refused: a bare CR or LF, folded lines, blanks before the colon, a name that is no token, control bytes. Source: RFC 9112 sections 2.2 and 5.
struct FieldLines {
    private enum State { case lineStart, name, blanks, value, lineFeed, lastLineFeed, end }

    /// The next byte to read, counted from the start of the bytes that `read` gets.
    var position: Int
    private var state: State = .lineStart
    private var nameStart = 0
    private var nameEnd = 0
    private var valueStart = 0
    private var valueEnd = 0

    init(at position: Int = 0) { self.position = position }

    /// Reads on from `position`; true once the empty line was read. Fields beyond `limit` are a 431.
    mutating func read(_ bytes: borrowing Span<UInt8>, into fields: inout [HTTPFields.Position], limit: Int) throws(WireFault) -> Bool {
        try read(bytes) { (line) throws(WireFault) in
            guard fields.count < limit else { throw WireFault(431, "more than \(limit) header fields") }
            fields.append(line)
        }
    }

    /// The same for fields that nobody wants.
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
            case .blanks:
                while index < end, Octet.isBlank(bytes[index]) { index &+= 1 }
                valueStart = index
                if index < end { state = .value }
            case .value:
                index = Octet.firstNonText(bytes, from: index)
                guard index < end else { break }
                guard bytes[index] == Octet.cr else {
                    throw WireFault("a control byte or a bare line feed stands in a header field's value")
                }
                valueEnd = index
                index &+= 1
                state = .lineFeed
            case .lineFeed:
                guard bytes[index] == Octet.lf else { throw WireFault("a bare carriage return stands in a header field") }
                index &+= 1
                state = .lineStart
                try onField(fieldPosition(bytes))
            case .lastLineFeed:
                guard bytes[index] == Octet.lf else { throw WireFault("a bare carriage return ends the header fields") }
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

    /// `valueStart` and `valueEnd` are meaningless where the bytes were cut inside the line and not kept: trailers alone, which nobody reads.
    private func fieldPosition(_ bytes: borrowing Span<UInt8>) -> HTTPFields.Position {
        var last = min(valueEnd, bytes.count)
        while last > valueStart, Octet.isBlank(bytes[last &- 1]) { last &-= 1 }
        return HTTPFields.Position(
            nameStart: UInt32(clamping: nameStart), nameEnd: UInt32(clamping: nameEnd),
            valueStart: UInt32(clamping: valueStart), valueEnd: UInt32(clamping: last)
        )
    }

    private static func badLineStart(_ byte: UInt8) -> WireFault {
        Octet.isBlank(byte) ? WireFault("a header field is folded or indented") : WireFault("a header field must begin with a token")
    }
}
