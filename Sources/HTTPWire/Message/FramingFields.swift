import Codecs

/// The fields of a head that determine the framing and the connection. Ambiguous ones are refused, more strictly than
/// RFC 9112 section 6 requires.
struct FramingFields {
    private(set) var contentLength: Int?
    private(set) var isChunked = false
    private(set) var hasClose = false
    private(set) var hasKeepAlive = false
    private(set) var host: Range<Int>?
    private(set) var expectation: Range<Int>?
    private(set) var upgrade: Range<Int>?

    init(_ bytes: borrowing Span<UInt8>, _ fields: [HTTPFields.Position], isHTTP10: Bool, isRequest: Bool) throws(WireFault) {
        for field in fields {
            switch field.nameEnd &- field.nameStart {
            case 4 where bytes.equals("host", in: field.name):
                guard host == nil else { throw WireFault("two Host fields; only one is allowed") }
                host = field.value
            case 6 where bytes.equals("expect", in: field.name):
                guard expectation == nil else { throw WireFault(417, "two Expect fields; only one is allowed") }
                expectation = field.value
            case 7 where bytes.equals("upgrade", in: field.name):
                upgrade = field.value
            case 10 where bytes.equals("connection", in: field.name):
                readConnection(bytes, field.value)
            case 14 where bytes.equals("content-length", in: field.name):
                guard contentLength == nil else { throw WireFault("two Content-Length fields; only one is allowed") }
                try Self.checkBlanks(bytes, field)
                contentLength = try Self.length(bytes, field.value, isRequest: isRequest)
            case 17 where bytes.equals("transfer-encoding", in: field.name):
                guard !isChunked else { throw WireFault("two Transfer-Encoding fields; only one is allowed") }
                try Self.checkBlanks(bytes, field)
                try Self.checkCoding(bytes, field.value)
                isChunked = true
            default:
                break
            }
        }
        guard !isChunked || contentLength == nil else { throw WireFault("both Content-Length and Transfer-Encoding; only one is allowed") }
        guard !isChunked || !isHTTP10 else { throw WireFault("an HTTP/1.0 message must not have a Transfer-Encoding") }
    }

    func isKeepAlive(isHTTP10: Bool) -> Bool { !hasClose && (!isHTTP10 || hasKeepAlive) }

    private mutating func readConnection(_ bytes: borrowing Span<UInt8>, _ value: Range<Int>) {
        for element in bytes.listElements(in: value) {
            if bytes.equals("close", in: element) { hasClose = true }
            if bytes.equals("keep-alive", in: element) { hasKeepAlive = true }
        }
    }

    /// Allows only spaces around a value that determines the framing, because some parsers don't treat tabs there as
    /// blanks.
    private static func checkBlanks(_ bytes: borrowing Span<UInt8>, _ field: HTTPFields.Position) throws(WireFault) {
        for index in field.name.upperBound..<field.value.lowerBound where bytes[index] == Octet.tab { throw tabAroundValue }
        var index = field.value.upperBound
        while index < bytes.count, Octet.isBlank(bytes[index]) {
            if bytes[index] == Octet.tab { throw tabAroundValue }
            index += 1
        }
    }

    private static let tabAroundValue = WireFault("a tab around the Content-Length or Transfer-Encoding; only spaces are allowed")

    /// A request's length may not begin with zeros. RFC 9110 section 8.6 allows them (`1*DIGIT`), but a parser that
    /// takes them for octal would end the body elsewhere. Responses may have them, because nobody else reads those.
    private static func length(_ bytes: borrowing Span<UInt8>, _ value: Range<Int>, isRequest: Bool) throws(WireFault) -> Int {
        guard !value.isEmpty else { throw WireFault("the Content-Length is empty") }
        guard !isRequest || value.count == 1 || bytes[value.lowerBound] != ASCII.zero else {
            throw WireFault("the Content-Length begins with a zero")
        }
        var length = 0
        for index in value {
            guard ASCII.isDigit(bytes[index]) else { throw WireFault("the Content-Length is not a number") }
            let (product, tooLarge) = length.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(Int(bytes[index] &- 0x30))
            guard !tooLarge, !overflow else { throw WireFault("the Content-Length is too large") }
            length = sum
        }
        return length
    }

    /// Accepts only `chunked`. Another coding before it is a 501; everything else is a 400.
    private static func checkCoding(_ bytes: borrowing Span<UInt8>, _ value: Range<Int>) throws(WireFault) {
        if bytes.equals("chunked", in: value) { return }
        let codings = bytes.listElements(in: value)
        var chunked = 0
        for coding in codings {
            guard !coding.isEmpty else { throw WireFault("the Transfer-Encoding has an empty element") }
            for index in coding where !Octet.isToken(bytes[index]) {
                throw WireFault("the Transfer-Encoding is not a list of plain codings")
            }
            if bytes.equals("chunked", in: coding) { chunked += 1 }
        }
        guard let last = codings.last, bytes.equals("chunked", in: last), chunked == 1 else {
            throw WireFault("the Transfer-Encoding must end with a single 'chunked'")
        }
        throw WireFault(501, "the only supported transfer coding is 'chunked'")
    }
}
