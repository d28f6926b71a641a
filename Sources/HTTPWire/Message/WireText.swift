/// A fixed-size piece of memory for the text of a head; text beyond its end is dropped.
package struct WireText: ~Copyable {
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    @inline(__always)
    package mutating func put(_ text: StaticString) {
        guard text.utf8CodeUnitCount <= memory.count - count, let start = memory.baseAddress else { return put(text.text) }
        // A constant size becomes a few stores.
        (start + count).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    mutating func put(_ text: UnsafeBufferPointer<UInt8>) { put(UnsafeRawBufferPointer(text)) }

    mutating func put(_ text: UnsafeRawBufferPointer) {
        let length = min(text.count, memory.count - count)
        guard length > 0, let source = text.baseAddress, let start = memory.baseAddress else { return }
        (start + count).copyMemory(from: source, byteCount: length)
        count += length
    }

    /// Writes two bytes, such as CR LF.
    @inline(__always)
    mutating func put(_ first: UInt8, _ second: UInt8) {
        guard memory.count - count >= 2 else { return }
        memory[count] = first
        memory[count + 1] = second
        count += 2
    }

    mutating func putLineEnd() { put(Octet.cr, Octet.lf) }

    /// Writes a number that isn't negative.
    mutating func put(decimal number: Int) {
        guard memory.count - count >= 20 else { return }
        count += Decimal.write(number, to: UnsafeMutableRawBufferPointer(rebasing: memory[count...]))
    }

    /// Writes `value / 1000` with up to three decimals: 1500 becomes `1.500`, 2000 becomes `2`. `value` must not be
    /// negative.
    package mutating func put(thousandths value: Int) {
        guard memory.count - count >= 24 else { return }
        let (whole, rest) = value.quotientAndRemainder(dividingBy: 1000)
        count += Decimal.write(whole, to: UnsafeMutableRawBufferPointer(rebasing: memory[count...]))
        if rest > 0 {
            // 1000 + rest keeps leading zeros; the point replaces its first digit.
            let digits = Decimal.write(1000 + rest, to: UnsafeMutableRawBufferPointer(rebasing: memory[count...]))
            memory[count] = UInt8(ascii: ".")
            count += digits
        }
    }

    /// Replaces control bytes with spaces.
    mutating func replaceControls(from start: Int) {
        let text = UnsafeMutableBufferPointer(rebasing: memory.assumingMemoryBound(to: UInt8.self)[..<count])
        var index = Octet.firstNonText(text.span, from: start)
        while index < count {
            text[index] = Octet.space
            index = Octet.firstNonText(text.span, from: index + 1)
        }
    }
}

extension WireText {
    mutating func putStatusLine(_ status: Int) {
        guard status != 200 else { return put("HTTP/1.1 200 OK\r\n") }
        put("HTTP/1.1 ")
        put(decimal: (100...999).contains(status) ? status : 500)
        put(" ")
        put(Self.reason(status))
        putLineEnd()
    }

    private static func reason(_ status: Int) -> StaticString {
        switch status {
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 411: "Length Required"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 499: "Client Closed Request"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 529: "Overloaded"
        default: "Status"
        }
    }
}
