import Codecs
import NIOCore

/// The strict decoder of the chunked coding. Extensions and trailers are read and dropped; their size is limited.
/// Source: RFC 9112 section 7.1.
struct ChunkedDecoder {
    private enum State {
        case sizeStart, size, extensionName, extensionNameEnd, extensionValue, extensionToken, quoted, quotedPair, quotedEnd, sizeLineFeed
        case data, dataReturn, dataLineFeed, trailers, end
    }

    /// The limit of a body's framing bytes. Each chunk reduces the counted bytes by 16, and by 2 for each byte of its
    /// data.
    static let maxOverhead = 16 * 1024

    private var state: State = .sizeStart
    private var digits = 0
    private var remaining = 0
    private var overhead = 0
    private var trailers = FieldLines()

    /// The unread bytes of the current chunk; 0 until its size line is complete.
    var announcedBytes: Int { state == .data ? remaining : 0 }

    /// Takes the next bytes of data off `input`, at most `limit` bytes.
    mutating func next(_ input: inout ByteBuffer, limit: Int) throws(WireFault) -> BodySource {
        while true {
            switch state {
            case .end:
                return .end
            case .data:
                guard let bytes = input.readSlice(length: min(remaining, limit, input.readableBytes)), bytes.readableBytes > 0 else {
                    return .more
                }
                remaining &-= bytes.readableBytes
                if remaining == 0 { state = .dataReturn }
                return .bytes(bytes)
            default:
                guard input.readableBytes > 0 else { return .more }
                input.moveReaderIndex(forwardBy: try readFraming(input.readableBytesUInt8Span))
            }
        }
    }

    /// Reads up to the next chunk's data, the end of the body or the end of `bytes`; returns how many bytes were read.
    private mutating func readFraming(_ bytes: borrowing Span<UInt8>) throws(WireFault) -> Int {
        if let usual = readUsualFraming(bytes) { return usual }
        var index = 0
        while index < bytes.count {
            if state == .trailers { return try readTrailers(bytes, from: index) }
            if state == .data || state == .end { return index }
            try readByte(bytes[index])
            index &+= 1
            overhead &+= 1
            guard overhead <= Self.maxOverhead else { throw WireFault("the chunks' framing is larger than \(Self.maxOverhead) bytes") }
        }
        return index
    }

    /// A fast path for the usual framing between two chunks' data: CR LF and a size line with only digits. Returns nil
    /// if the framing is different or incomplete.
    private mutating func readUsualFraming(_ bytes: borrowing Span<UInt8>) -> Int? {
        guard state == .dataReturn || state == .sizeStart, overhead <= Self.maxOverhead - 16 else { return nil }
        var index = 0
        if state == .dataReturn {
            guard bytes.count > 2, bytes[0] == Octet.cr, bytes[1] == Octet.lf else { return nil }
            index = 2
        }
        let start = index
        var size = 0
        while index < bytes.count, index &- start < 8, let digit = ASCII.hexDigit(bytes[index]) {
            size = size &<< 4 | Int(digit)
            index &+= 1
        }
        guard size > 0, index &+ 1 < bytes.count, bytes[index] == Octet.cr, bytes[index &+ 1] == Octet.lf else { return nil }
        digits = index &- start
        remaining = size
        overhead &+= index &+ 2
        endSizeLine()
        return index &+ 2
    }

    private mutating func readTrailers(_ bytes: borrowing Span<UInt8>, from index: Int) throws(WireFault) -> Int {
        trailers.position = index
        let isComplete = try trailers.skip(bytes)
        overhead &+= trailers.position &- index
        guard overhead <= Self.maxOverhead else { throw WireFault("the trailers are larger than \(Self.maxOverhead) bytes") }
        if isComplete { state = .end }
        return trailers.position
    }

    private mutating func readByte(_ byte: UInt8) throws(WireFault) {
        switch state {
        case .sizeStart, .size:
            try readSize(byte)
        case .extensionName:
            guard Octet.isToken(byte) else { throw Self.badExtension }
            state = .extensionNameEnd
        case .extensionNameEnd:
            if byte == UInt8(ascii: "=") { state = .extensionValue } else if !Octet.isToken(byte) { try endExtension(byte) }
        case .extensionValue:
            if byte == Octet.quote {
                state = .quoted
            } else if Octet.isToken(byte) {
                state = .extensionToken
            } else {
                throw Self.badExtension
            }
        case .extensionToken:
            if !Octet.isToken(byte) { try endExtension(byte) }
        case .quoted:
            if byte == Octet.quote {
                state = .quotedEnd
            } else if byte == UInt8(ascii: "\\") {
                state = .quotedPair
            } else if !Octet.isText(byte) {
                throw Self.badExtension
            }
        case .quotedPair:
            guard Octet.isText(byte) else { throw Self.badExtension }
            state = .quoted
        case .quotedEnd:
            try endExtension(byte)
        case .sizeLineFeed:
            guard byte == Octet.lf else { throw WireFault("a chunk's size line must end with CR LF") }
            endSizeLine()
        case .dataReturn:
            guard byte == Octet.cr else { throw WireFault("a chunk's data must be followed by CR LF") }
            state = .dataLineFeed
        case .dataLineFeed:
            guard byte == Octet.lf else { throw WireFault("a chunk's data must be followed by CR LF") }
            digits = 0
            state = .sizeStart
        case .data, .trailers, .end:
            break
        }
    }

    private mutating func readSize(_ byte: UInt8) throws(WireFault) {
        if let value = ASCII.hexDigit(byte) {
            digits &+= 1
            let (shifted, overflow) = remaining.multipliedReportingOverflow(by: 16)
            guard digits <= 16, !overflow else { throw WireFault("a chunk's size is too large") }
            remaining = shifted | Int(value)
            state = .size
        } else {
            guard state == .size else { throw WireFault("a chunk's size must be hex digits") }
            try endExtension(byte)
        }
    }

    private mutating func endExtension(_ byte: UInt8) throws(WireFault) {
        switch byte {
        case Octet.semicolon: state = .extensionName
        case Octet.cr: state = .sizeLineFeed
        default: throw Self.badExtension
        }
    }

    private mutating func endSizeLine() {
        let (doubled, overflow) = remaining.multipliedReportingOverflow(by: 2)
        let free = overflow ? Int.max : doubled.addingReportingOverflow(16).partialValue
        overhead = free < 0 || free >= overhead ? 0 : overhead &- free
        state = remaining == 0 ? .trailers : .data
    }

    private static let badExtension = WireFault("a chunk's size must be hex digits, then extensions or CR LF")
}
