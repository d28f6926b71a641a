import Codecs
import NIOCore

/// A parsed response head.
struct ParsedResponse {
    let status: Int
    let fields: HTTPFields
    let headBytes: Int
    let body: BodyLength
    /// Whether the head allows another request on the connection.
    let isKeepAlive: Bool
}

/// The strict parser of response heads. It can pause after any byte. Source: RFC 9112 section 4.
struct ResponseParser: ~Copyable {
    private enum State { case version, status, reasonStart, reason, lineFeed, fields }

    static let maxHeadBytes = 64 * 1024
    static let maxFields = 500
    private static let version: StaticString = "HTTP/1.1 "

    private var state: State = .version
    private var position = 0
    private var minor: UInt8 = 0
    private var status = 0
    private var lines = FieldLines()
    private var fields: [HTTPFields.Position] = []

    /// Takes a head off `input`, which must contain all bytes since the head's first one. Returns nil if more are
    /// needed.
    mutating func next(_ input: inout ByteBuffer, isHeadRequest: Bool) throws(WireFault) -> ParsedResponse? {
        let isComplete = try read(input.readableBytesUInt8Span)
        guard (isComplete ? lines.position : input.readableBytes) <= Self.maxHeadBytes else {
            throw WireFault("the response's head is larger than \(Self.maxHeadBytes) bytes")
        }
        guard isComplete, let bytes = input.readSlice(length: lines.position) else { return nil }
        return try response(bytes, isHeadRequest: isHeadRequest)
    }

    private mutating func read(_ bytes: borrowing Span<UInt8>) throws(WireFault) -> Bool {
        if state != .fields {
            guard try readStatusLine(bytes) else { return false }
            fields.reserveCapacity(16)
            lines = FieldLines(at: position)
        }
        return try lines.read(bytes, into: &fields, limit: Self.maxFields)
    }

    private mutating func readStatusLine(_ bytes: borrowing Span<UInt8>) throws(WireFault) -> Bool {
        if position == 0, bytes.equalsExactly(Self.version, in: 0..<Self.version.utf8CodeUnitCount) {
            minor = 1
            position = Self.version.utf8CodeUnitCount
            state = .status
        }
        while position < bytes.count {
            let byte = bytes[position]
            switch state {
            case .version:
                if position == 7 {
                    guard byte == 0x30 || byte == 0x31 else { throw Self.notHTTP(bytes) }
                    minor = byte &- 0x30
                } else {
                    guard Self.version.withUTF8Buffer({ position < $0.count && $0[position] == byte }) else { throw Self.notHTTP(bytes) }
                    if position == 8 { state = .status }
                }
            case .status:
                guard ASCII.isDigit(byte) else { throw Self.badStatus }
                status = status * 10 + Int(byte &- 0x30)
                if position == 11 {
                    guard (100...599).contains(status) else { throw Self.badStatus }
                    state = .reasonStart
                }
            case .reasonStart:
                // Many servers omit both the space and the reason.
                guard byte == Octet.space || byte == Octet.cr else { throw Self.badStatus }
                state = byte == Octet.cr ? .lineFeed : .reason
            case .reason:
                position = Octet.firstNonText(bytes, from: position)
                guard position < bytes.count else { return false }
                guard bytes[position] == Octet.cr else {
                    throw WireFault("the status line contains a control byte or a bare line feed")
                }
                state = .lineFeed
            case .lineFeed:
                guard byte == Octet.lf else { throw WireFault("the status line contains a bare carriage return") }
                position &+= 1
                state = .fields
                return true
            case .fields:
                return true
            }
            position &+= 1
        }
        return false
    }

    private mutating func response(_ bytes: ByteBuffer, isHeadRequest: Bool) throws(WireFault) -> ParsedResponse {
        let isHTTP10 = minor == 0
        let framing = try FramingFields(bytes.readableBytesUInt8Span, fields, isHTTP10: isHTTP10, isRequest: false)
        var isKeepAlive = framing.isKeepAlive(isHTTP10: isHTTP10)
        let body: BodyLength
        if isHeadRequest || status < 200 || status == 204 || status == 304 {
            body = .none
            // A server that announces a body for a 204 may send one.
            if status == 204, framing.isChunked || (framing.contentLength ?? 0) > 0 { isKeepAlive = false }
        } else if framing.isChunked {
            body = .chunked
        } else if let length = framing.contentLength {
            body = .sized(length)
        } else {
            body = .untilClose
            isKeepAlive = false
        }
        var positions: [HTTPFields.Position] = []
        swap(&positions, &fields)
        return ParsedResponse(
            status: status, fields: HTTPFields(bytes: bytes, positions: positions), headBytes: bytes.readableBytes, body: body,
            isKeepAlive: isKeepAlive
        )
    }

    /// What the upstream speaks instead, by the first bytes that it has sent.
    private static func notHTTP(_ bytes: borrowing Span<UInt8>) -> WireFault {
        // An alert or a handshake message of TLS 1.0 to 1.3. Source: RFC 8446, section 5.1.
        if bytes[0] == 0x15 || bytes[0] == 0x16, bytes.count < 2 || bytes[1] == 3 {
            return WireFault("the upstream speaks TLS: write 'https://' in 'base_url'")
        }
        var text = ""
        for index in 0..<min(bytes.count, 40) {
            guard 0x20..<0x7F ~= bytes[index] else { break }
            text.unicodeScalars.append(Unicode.Scalar(bytes[index]))
        }
        let what = text.utf8.count < 2 ? "" : ", but with '\(text)'"
        return WireFault("the response does not begin with HTTP/1.1 or HTTP/1.0\(what); check the host and the port of 'base_url'")
    }

    private static let badStatus = WireFault("the status is not a number from 100 to 599")
}
