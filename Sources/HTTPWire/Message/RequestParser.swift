import Codecs
import NIOCore

/// The limits of a request's head.
struct HeadLimits {
    var headBytes: Int
    var targetBytes: Int
    var fields: Int
}

/// A parsed request head.
struct ParsedRequest {
    let head: RequestHead
    let body: BodyLength
    let expectsContinue: Bool
    /// Whether the client offers to switch to h2c. The offer is ignored, and the connection is closed after the
    /// response.
    let offersUpgrade: Bool
}

/// The strict parser of request heads. It can pause after any byte. Source: RFC 9112 sections 2 and 3.
struct RequestParser: ~Copyable {
    private enum State { case start, blankLine, method, target, version, fields }

    private static let version: StaticString = "HTTP/1.1\r\n"
    private static let maxMethodBytes = 32

    private var state: State = .start
    private var position = 0
    private var methodStart = 0
    private var target = 0..<0
    private var versionBytes = 0
    private var major: UInt8 = 0
    private var minor: UInt8 = 0
    private var lines = FieldLines()
    private var fields: [HTTPFields.Position] = []

    /// Whether at least one byte of the head has been read.
    var hasBegun: Bool { position > 0 || state != .start }

    /// Takes a head off `input`, which must contain all bytes since the head's first one. Returns nil if more are
    /// needed.
    mutating func next(_ input: inout ByteBuffer, limits: HeadLimits) throws(WireFault) -> ParsedRequest? {
        let isComplete = try read(input.readableBytesUInt8Span, limits: limits)
        guard lineBytes(isComplete) <= limits.headBytes, isComplete || input.readableBytes <= limits.headBytes else {
            throw WireFault(431, "the request's head is larger than \(limits.headBytes) bytes")
        }
        guard isComplete, let bytes = input.readSlice(length: lines.position) else { return nil }
        return try request(bytes)
    }

    private func lineBytes(_ isComplete: Bool) -> Int { isComplete ? lines.position : position }

    private mutating func read(_ bytes: borrowing Span<UInt8>, limits: HeadLimits) throws(WireFault) -> Bool {
        if state != .fields {
            guard try readRequestLine(bytes, limits: limits) else { return false }
            fields.reserveCapacity(16)
            lines = FieldLines(at: position)
        }
        return try lines.read(bytes, into: &fields, limit: limits.fields)
    }

    private mutating func readRequestLine(_ bytes: borrowing Span<UInt8>, limits: HeadLimits) throws(WireFault) -> Bool {
        let end = bytes.count
        var index = position
        while index < end {
            switch state {
            case .start:
                // One empty line before a request is ignored. Source: RFC 9112 section 2.2.
                if bytes[index] == Octet.cr, index == 0 {
                    state = .blankLine
                    index &+= 1
                } else {
                    methodStart = index
                    state = .method
                }
            case .blankLine:
                guard bytes[index] == Octet.lf else { throw WireFault("a bare carriage return before the request") }
                index &+= 1
                state = .start
            case .method:
                while index < end, Octet.isToken(bytes[index]) { index &+= 1 }
                guard index &- methodStart <= Self.maxMethodBytes else {
                    throw WireFault(501, "the method is longer than \(Self.maxMethodBytes) bytes")
                }
                guard index < end else { break }
                guard bytes[index] == Octet.space, index > methodStart else {
                    throw WireFault("a request must begin with a method and one space")
                }
                index &+= 1
                target = index..<index
                state = .target
            case .target:
                index = Octet.firstNonTarget(bytes, from: index)
                target = target.lowerBound..<index
                guard target.count <= limits.targetBytes else {
                    throw WireFault(414, "the request's target is longer than \(limits.targetBytes) bytes")
                }
                guard index < end else { break }
                guard bytes[index] == Octet.space, !target.isEmpty else {
                    throw WireFault("the request's target must be visible ASCII without a fragment, then one space")
                }
                index &+= 1
                state = .version
            case .version:
                if versionBytes == 0, bytes.equalsExactly(Self.version, in: index..<(index &+ Self.version.utf8CodeUnitCount)) {
                    (major, minor) = (1, 1)
                    versionBytes = Self.version.utf8CodeUnitCount
                    index &+= versionBytes
                } else {
                    try readVersion(bytes[index])
                    index &+= 1
                }
                if versionBytes == Self.version.utf8CodeUnitCount {
                    position = index
                    state = .fields
                    guard major == 1, minor <= 1 else {
                        throw WireFault(505, "the version is HTTP/\(major).\(minor), expected HTTP/1.1 or HTTP/1.0")
                    }
                    return true
                }
            case .fields:
                return true
            }
        }
        position = index
        return false
    }

    private mutating func readVersion(_ byte: UInt8) throws(WireFault) {
        switch versionBytes {
        case 5, 7:
            guard ASCII.isDigit(byte) else { throw Self.badVersion }
            if versionBytes == 5 { major = byte &- 0x30 } else { minor = byte &- 0x30 }
        default:
            guard Self.version.withUTF8Buffer({ $0[versionBytes] == byte }) else { throw Self.badVersion }
        }
        versionBytes &+= 1
    }

    private static let badVersion = WireFault("the request line must end with the version and CR LF")
}

extension RequestParser {
    /// Interprets and checks the complete head.
    private mutating func request(_ bytes: ByteBuffer) throws(WireFault) -> ParsedRequest {
        let span = bytes.readableBytesUInt8Span
        let isHTTP10 = minor == 0
        let framing = try FramingFields(span, fields, isHTTP10: isHTTP10, isRequest: true)
        let method = RequestHead.Method(span, methodStart..<(target.lowerBound &- 1)) { bytes.string($0) }
        if case .other("CONNECT") = method { throw WireFault(501, "the method 'CONNECT' is not supported") }

        if let host = framing.host {
            guard Authority(span, host) != nil else { throw WireFault("the Host field is not a name or address with an optional port") }
        } else if !isHTTP10 {
            throw WireFault("an HTTP/1.1 request needs a Host field")
        }
        let origin = try RequestTarget(span, target, host: framing.host, isOptions: method == .options)
        let expectsContinue = try Self.expectsContinue(span, framing.expectation, isHTTP10: isHTTP10)
        if let upgrade = framing.upgrade {
            // Clients of OpenAI's Responses fall back to HTTP. Source: openai/codex, codex-rs/core.
            if span.equals("websocket", in: upgrade) { throw WireFault(426, "WebSocket is not supported; send the request over HTTP") }
            guard span.equals("h2c", in: upgrade) else { throw WireFault(501, "upgrades to another protocol are not supported") }
        }

        var positions: [HTTPFields.Position] = []
        swap(&positions, &fields)
        let head = RequestHead(
            method: method,
            path: origin.path.map(bytes.string) ?? "/",
            query: origin.query.map(bytes.string),
            authority: origin.authority.map(bytes.string),
            isHTTP10: isHTTP10,
            fields: HTTPFields(bytes: bytes, positions: positions),
            isKeepAlive: framing.isKeepAlive(isHTTP10: isHTTP10)
        )
        let body: BodyLength = framing.isChunked ? .chunked : framing.contentLength.map { $0 == 0 ? .none : .sized($0) } ?? .none
        return ParsedRequest(head: head, body: body, expectsContinue: expectsContinue, offersUpgrade: framing.upgrade != nil)
    }

    private static func expectsContinue(_ bytes: borrowing Span<UInt8>, _ value: Range<Int>?, isHTTP10: Bool) throws(WireFault) -> Bool {
        guard let value, !isHTTP10 else { return false }
        guard bytes.equals("100-continue", in: value) else { throw WireFault(417, "the only supported expectation is '100-continue'") }
        return true
    }
}
