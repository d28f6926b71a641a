import NIOCore

@testable import HTTPWire

/// The requests of a connection are the same wherever their bytes are cut, and what is accepted is not ambiguous:
/// written anew, with their bodies' sizes, the requests read back as equal.
func checkHTTPRequests(_ bytes: [UInt8]) throws {
    let requests = try sameForEverySplit(of: bytes) { Requests($0) }
    let written = requests.complete.map(\.written).joined()
    let again = Requests([Array(written)[...]])
    try ensure(again.complete == requests.complete && again.fault == nil, "written anew, the requests are \(again), not \(requests)")
}

private struct Requests: Equatable {
    struct Request: Equatable {
        var line: String
        /// Without those that delimit the body.
        var fields: [String]
        var body: [UInt8]

        var written: [UInt8] {
            let head = [line] + fields + (body.isEmpty ? [] : ["content-length: \(body.count)"])
            return head.flatMap { Array("\($0)\r\n".utf8) } + [0x0D, 0x0A] + body
        }
    }

    var complete: [Request] = []
    var fault: WireFault?

    init(_ chunks: [ArraySlice<UInt8>]) {
        var connection = Connection()
        do throws(WireFault) {
            for chunk in chunks {
                connection.input.writeBytes(chunk)
                while let request = try connection.next() { complete.append(request) }
            }
        } catch { fault = error }
    }

    private struct Connection: ~Copyable {
        var input = ByteBuffer()
        private var parser = RequestParser()
        private var current: (request: ParsedRequest, reader: BodyReader, body: [UInt8])?

        mutating func next() throws(WireFault) -> Request? {
            if current == nil {
                let limits = HeadLimits(headBytes: 2000, targetBytes: 200, fields: 20)
                guard input.readableBytes > 0, let request = try parser.next(&input, limits: limits) else { return nil }
                parser = RequestParser()
                current = (request, BodyReader(request.body), [])
            }
            guard case (let request, var reader, var body)? = current else { return nil }
            while true {
                switch try reader.next(&input, limit: 7) {
                case .bytes(let bytes): body += bytes.readableBytesView
                case .more:
                    current = (request, reader, body)
                    return nil
                case .end:
                    current = nil
                    return Request(request.head, body)
                }
            }
        }
    }
}

extension Requests.Request {
    fileprivate init(_ head: RequestHead, _ body: [UInt8]) {
        let target = head.path + (head.query.map { "?\($0)" } ?? "")
        var fields: [String] = []
        head.fields.forEach(prefix: "") { name, value in
            if !["content-length", "transfer-encoding"].contains(name) { fields.append("\(name): \(value)") }
        }
        self.init(line: "\(head.method) \(target) HTTP/1.\(head.isHTTP10 ? 0 : 1)", fields: fields, body: body)
    }
}
