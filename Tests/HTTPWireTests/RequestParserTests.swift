import NIOCore
import Testing

@testable import HTTPWire

/// The result of parsing a byte stream: the requests in order, and how they end.
struct ParsedStream: Equatable {
    struct Message: Equatable {
        var start: String
        var fields: [String]
        var body: String
    }

    enum End: Equatable {
        case more, closed, refused(Int)
    }

    var messages: [Message] = []
    var end: End = .more
}

func parseRequests(
    _ bytes: [UInt8], cuts: [Int] = [], limits: HeadLimits = HeadLimits(headBytes: 32768, targetBytes: 8192, fields: 100)
) -> ParsedStream {
    var stream = ParsedStream()
    var parser = RequestParser()
    var current: (request: ParsedRequest, body: BodyReader, bytes: ByteBuffer)?
    var input = ByteBuffer()
    var last = 0
    for cut in cuts + [bytes.count] {
        input.writeBytes(bytes[last..<cut])
        last = cut
        do throws(WireFault) {
            while true {
                if current == nil {
                    guard input.readableBytes > 0, let request = try parser.next(&input, limits: limits) else { break }
                    parser = RequestParser()
                    current = (request, BodyReader(request.body), ByteBuffer())
                }
                guard case (let request, var reader, var body)? = current else { break }
                var isComplete = false
                reading: while true {
                    switch try reader.next(&input) {
                    case .bytes(var bytes): body.writeBuffer(&bytes)
                    case .more: break reading
                    case .end:
                        isComplete = true
                        break reading
                    }
                }
                current = (request, reader, body)
                guard isComplete else { break }
                stream.messages.append(.init(request.head, body))
                current = nil
                if !request.head.isKeepAlive || request.offersUpgrade {
                    stream.end = .closed
                    return stream
                }
            }
        } catch {
            stream.end = .refused(error.status)
            return stream
        }
    }
    return stream
}

extension ParsedStream.Message {
    init(_ head: RequestHead, _ body: ByteBuffer) {
        var fields: [String] = []
        head.fields.forEach(prefix: "") { fields.append("\($0): \($1)") }
        self.init(
            start: "\(head.method) \(head.path)\(head.query.map { "?\($0)" } ?? "") HTTP/1.\(head.isHTTP10 ? 0 : 1)", fields: fields,
            body: String(buffer: body)
        )
    }
}

/// Every split into two parts, and one into single bytes.
func everyCut(_ count: Int) -> [[Int]] { (0...count).map { [$0] } + [Array(0...count)] }

struct RequestParserTests {
    static let accepted: [(String, String)] = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1"),
        ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1"),
        ("GET /a%2F..?x=1&y HTTP/1.1\r\nhost: a.b:8080\r\n\r\n", "GET /a%2F..?x=1&y HTTP/1.1"),
        ("GET /? HTTP/1.0\r\n\r\n", "GET /? HTTP/1.0"),
        ("GET http://A:80/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET /x?y HTTP/1.1"),
        ("GET http://a?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET /?y HTTP/1.1"),
        ("OPTIONS * HTTP/1.1\r\nHost: [::1]:1\r\n\r\n", "OPTIONS * HTTP/1.1"),
        ("M-SEARCH / HTTP/1.1\r\nHost: a\r\nX: \t v \t\r\nEmpty:\r\n\r\n", "M-SEARCH / HTTP/1.1"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "POST / HTTP/1.1"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=\"b\\\"\"\r\nabc\r\n00\r\nHost: b\r\n\r\n",
            "POST / HTTP/1.1"
        ),
    ]

    @Test("a valid request is parsed the same, wherever it is split", arguments: accepted)
    func accepts(_ request: String, _ start: String) {
        let bytes = Array(request.utf8)
        let whole = parseRequests(bytes)
        #expect(whole.messages.map(\.start) == [start])
        for cuts in everyCut(bytes.count) { #expect(parseRequests(bytes, cuts: cuts) == whole) }
    }

    static let refusedHeads: [(String, Int)] = [
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400), (" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /\r\n\r\n", 400), ("GET / http/1.1\r\nHost: a\r\n\r\n", 400), ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
        ("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /\u{7F} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /é HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", 400), ("GET / HTTP/1.1\rHost: a\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\u{0B}b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX(: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a:x\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400), ("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505), ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        ("GET / HTTP/0.9\r\n\r\n", 505),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501),
        ("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", 426),
        ("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: tls\r\nConnection: upgrade\r\n\r\n", 501),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", 417),
        (String(repeating: "X", count: 33) + " / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        ("\u{16}\u{03}\u{01}\u{00}\u{01}", 400),
    ]

    @Test("an invalid head is refused with the same status, wherever it is split", arguments: refusedHeads)
    func refusesHeads(_ request: String, _ status: Int) {
        let bytes = Array(request.utf8)
        for cuts in everyCut(bytes.count) { #expect(parseRequests(bytes, cuts: cuts) == ParsedStream(end: .refused(status))) }
    }

    static let codings: [(String, Int)] = [
        ("identity", 400), ("xchunked", 400), ("chunkedx", 400), ("chunked, chunked", 400), ("chunked,", 400), (",chunked", 400),
        ("chunked;q=1", 400), ("\"chunked\"", 400),
        ("", 400), ("chunked, identity", 400), ("chunked gzip", 400), ("gzip", 400), ("c hunked", 400), ("chunked\t", 400),
        ("\tchunked", 400), ("chunked\u{0B}", 400), ("chunked\u{0C}", 400), ("\u{0B}chunked", 400), ("x\u{FF}chunked", 400),
        ("gzip, chunked", 501), ("identity, chunked", 501), ("gzip,chunked", 501), ("chunked\r\nTransfer-Encoding: chunked", 400),
        ("chunked\r\nTransfer-Encoding: identity", 400),
        ("chunked\r\nContent-Length: 3", 400), ("gzip\r\nContent-Length: 3", 400),
    ]

    @Test("the only accepted transfer coding is a single plain 'chunked'", arguments: codings)
    func refusesCodings(_ coding: String, _ status: Int) {
        let stream = parseRequests(Array("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \(coding)\r\n\r\n3\r\nabc\r\n0\r\n\r\n".utf8))
        #expect(stream == ParsedStream(end: .refused(status)))
    }

    @Test("a transfer coding in an HTTP/1.0 request is refused")
    func refusesCodedHTTP10() {
        #expect(parseRequests(Array("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".utf8)).end == .refused(400))
    }

    @Test(
        "a Content-Length must be one plain number",
        arguments: [
            "", "+3", "-3", "3 ", "3\t", "0x3", "3_0", "3,3", "3, 3", "3;", "3.0", "3e0", "٣", "18446744073709551616",
            "9223372036854775808", "3\r\nContent-Length: 3", "3\r\nContent-Length: 4", " 3 3", "03", "0003", "00", "000", "010",
            "00000000000000000000000000000003",
        ]
    )
    func refusesLengths(_ length: String) {
        let stream = parseRequests(Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\nabc".utf8))
        #expect(length == "3 " ? stream.messages.count == 1 : stream == ParsedStream(end: .refused(400)))
    }

    @Test("a request may announce an empty body")
    func acceptsZeroLength() {
        #expect(parseRequests(Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".utf8)).messages.map(\.body) == [""])
    }

    @Test(
        "the host of a request is that of an absolute target, else that of the Host field",
        arguments: [
            ("GET / HTTP/1.1\r\nHost: a:1\r\n\r\n", "a:1"), ("GET http://A/x HTTP/1.1\r\nHost: a\r\n\r\n", "A"),
            ("GET http://b:2?x HTTP/1.0\r\n\r\n", "b:2"), ("GET / HTTP/1.0\r\nHost: [::1]\r\n\r\n", "[::1]"),
            ("GET / HTTP/1.0\r\n\r\n", nil),
        ] as [(String, String?)])
    func host(_ request: String, _ host: String?) throws {
        var input = ByteBuffer(string: request)
        var parser = RequestParser()
        let limits = HeadLimits(headBytes: 1000, targetBytes: 100, fields: 10)
        #expect(try #require(try parser.next(&input, limits: limits)).head.host == host)
    }

    @Test("each limit of the head has its status")
    func limits() {
        let limits = HeadLimits(headBytes: 200, targetBytes: 20, fields: 3)
        func status(_ request: String) -> ParsedStream.End { parseRequests(Array(request.utf8), limits: limits).end }
        #expect(status("GET /\(String(repeating: "x", count: 20)) HTTP/1.1\r\nHost: a\r\n\r\n") == .refused(414))
        #expect(status("GET /\(String(repeating: "x", count: 19)) HTTP/1.1\r\nHost: a\r\n\r\n") == .more)
        #expect(status("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nB: c\r\nC: d\r\n\r\n") == .refused(431))
        #expect(status("GET / HTTP/1.1\r\nHost: a\r\nA: \(String(repeating: "x", count: 200))\r\n\r\n") == .refused(431))
        #expect(status("GET / HTTP/1.1\r\nHost: a\r\nA: \(String(repeating: "x", count: 200))") == .refused(431))
    }

    @Test("pipelined requests are parsed like separate ones, and no byte moves between them")
    func pipelines() {
        let first = "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /",
            second = "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
        let both = Array((first + second).utf8)
        let expected = parseRequests(Array(first.utf8)).messages + parseRequests(Array(second.utf8)).messages
        #expect(expected.map(\.body) == ["GET /", "x"])
        for cuts in everyCut(both.count) { #expect(parseRequests(both, cuts: cuts).messages == expected) }
    }

    @Test("fields are found in any case and in order, without blanks around their values")
    func fields() throws {
        var input = ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a\r\nX-One:  1 \r\nx-one: 2\r\nBin: \u{FF}\r\n\r\n")
        var parser = RequestParser()
        let fields = try #require(try parser.next(&input, limits: HeadLimits(headBytes: 1000, targetBytes: 100, fields: 10))).head.fields
        var names: [String] = []
        fields.forEach(prefix: "") { name, _ in names.append(name) }
        #expect(names == ["host", "x-one", "x-one", "bin"])
        #expect(fields.value("X-ONE") == "1")
        var values: [ByteBuffer] = []
        fields.forEachSlice("x-one") { values.append($0) }
        #expect(values == [ByteBuffer(string: "1"), ByteBuffer(string: "2")])
        #expect(fields.value("absent") == nil && !fields.contains("absent"))
    }

    @Test("the version and the Connection field decide whether the connection is kept")
    func keepAlive() {
        func end(_ version: String, _ connection: String) -> ParsedStream.End {
            parseRequests(Array("GET / HTTP/\(version)\r\nHost: a\r\nConnection: \(connection)\r\n\r\n".utf8)).end
        }
        #expect(end("1.1", "x") == .more)
        #expect(end("1.1", "x, Close") == .closed)
        #expect(end("1.0", "x") == .closed)
        #expect(end("1.0", "Keep-Alive") == .more)
        #expect(end("1.0", "keep-alive, close") == .closed)
    }
}
