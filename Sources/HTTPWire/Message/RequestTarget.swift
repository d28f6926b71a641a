import Codecs

/// A request's target: the ranges of its path and query in the head. Source: RFC 9112 section 3.2.
struct RequestTarget {
    /// nil if an absolute target has no path, which means `/`.
    private(set) var path: Range<Int>?
    private(set) var query: Range<Int>?
    /// The host and port of an absolute target; nil for any other.
    private(set) var authority: Range<Int>?

    init(_ bytes: borrowing Span<UInt8>, _ target: Range<Int>, host: Range<Int>?, isOptions: Bool) throws(WireFault) {
        switch bytes[target.lowerBound] {
        case UInt8(ascii: "/"):
            split(bytes, target)
        case UInt8(ascii: "*") where target.count == 1:
            guard isOptions else { throw WireFault("the target '*' is allowed only for OPTIONS") }
            path = target
        default:
            try readAbsolute(bytes, target, host: host)
        }
    }

    private mutating func readAbsolute(_ bytes: borrowing Span<UInt8>, _ target: Range<Int>, host: Range<Int>?) throws(WireFault) {
        let isPlain = target.count > 7 && bytes.equals("http://", in: target.lowerBound..<(target.lowerBound + 7))
        let isSecure = target.count > 8 && bytes.equals("https://", in: target.lowerBound..<(target.lowerBound + 8))
        guard isPlain || isSecure else { throw WireFault("the target must begin with '/' or be an http URL") }

        let start = target.lowerBound + (isPlain ? 7 : 8)
        var end = start
        while end < target.upperBound, bytes[end] != UInt8(ascii: "/"), bytes[end] != UInt8(ascii: "?") { end += 1 }
        let defaultPort = isPlain ? 80 : 443
        guard let authority = Authority(bytes, start..<end) else {
            throw WireFault("the target's host is not a name or address with an optional port")
        }
        if let host {
            guard let expected = Authority(bytes, host), authority.matches(expected, in: bytes, defaultPort: defaultPort) else {
                throw WireFault("the target's host differs from the Host field")
            }
        }
        self.authority = start..<end
        split(bytes, end..<target.upperBound)
        if path?.isEmpty == true { path = nil }
    }

    private mutating func split(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) {
        for index in range where bytes[index] == UInt8(ascii: "?") {
            path = range.lowerBound..<index
            query = (index + 1)..<range.upperBound
            return
        }
        path = range
    }
}

/// A host with an optional port, as ranges of the head.
struct Authority {
    let host: Range<Int>
    let port: Int?

    /// nil if `range` is not a name, an IPv4 address or a bracketed IPv6 address, with an optional port.
    init?(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) {
        guard !range.isEmpty else { return nil }
        var end = range.lowerBound
        if bytes[end] == UInt8(ascii: "[") {
            end += 1
            while end < range.upperBound, ASCII.hexDigit(bytes[end]) != nil || bytes[end] == Octet.colon || bytes[end] == UInt8(ascii: ".")
            { end += 1 }
            guard end < range.upperBound, bytes[end] == UInt8(ascii: "]"), end > range.lowerBound + 2 else { return nil }
            end += 1
        } else {
            while end < range.upperBound, Self.isName(bytes[end]) { end += 1 }
        }
        host = range.lowerBound..<end
        guard !host.isEmpty else { return nil }
        guard end < range.upperBound else {
            port = nil
            return
        }
        guard bytes[end] == Octet.colon, range.upperBound - end <= 6 else { return nil }
        var number = 0
        for index in (end + 1)..<range.upperBound {
            guard ASCII.isDigit(bytes[index]) else { return nil }
            number = number * 10 + Int(bytes[index] &- 0x30)
        }
        guard number <= 65535 else { return nil }
        port = end + 1 == range.upperBound ? nil : number
    }

    func matches(_ other: Authority, in bytes: borrowing Span<UInt8>, defaultPort: Int) -> Bool {
        guard host.count == other.host.count, (port ?? defaultPort) == (other.port ?? defaultPort) else { return false }
        for offset in 0..<host.count
        where ASCII.lowercased(bytes[host.lowerBound + offset]) != ASCII.lowercased(bytes[other.host.lowerBound + offset]) { return false }
        return true
    }

    private static func isName(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: "~")
    }
}
