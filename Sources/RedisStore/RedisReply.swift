import Codecs
import HTTPWire
package import NIOCore

/// A reply of a Redis server.
/// Source: RESP2, https://redis.io/docs/latest/develop/reference/protocol-spec/.
package enum RedisReply: Equatable {
    case text(String)
    /// The text begins with a word that stands for the kind of the error: `WRONGPASS …`.
    case error(String)
    case integer(Int)
    case array([RedisReply])
    case null
}

/// A reply that isn't RESP2, or larger than any that the router asks for.
package struct RedisReplyError: Error {}

extension RedisReply {
    private static let maxLineBytes = 64 << 10
    private static let maxTextBytes = 64 << 10
    private static let maxItems = 1024
    private static let maxDepth = 2

    /// Reads a reply; nil, and nothing is read, if it isn't complete.
    package static func read(from buffer: inout ByteBuffer) throws(RedisReplyError) -> RedisReply? {
        var end = 0
        guard let reply = try read(buffer.readableBytesSpan, &end, depth: 0) else { return nil }
        buffer.moveReaderIndex(forwardBy: end)
        return reply
    }

    /// - Parameter offset: where the reply begins, and then where it ends.
    private static func read(_ bytes: RawSpan, _ offset: inout Int, depth: Int) throws(RedisReplyError) -> RedisReply? {
        guard let line = try line(bytes, &offset) else { return nil }
        let content = line.dropFirst()
        switch line.isEmpty ? 0 : bytes.byte(line.lowerBound) {
        case UInt8(ascii: "+"): return .text(text(bytes, content))
        case UInt8(ascii: "-"): return .error(text(bytes, content))
        case UInt8(ascii: ":"): return .integer(try integer(bytes, content))
        case UInt8(ascii: "$"):
            let count = try integer(bytes, content)
            if count == -1 { return .null }
            guard 0...maxTextBytes ~= count else { throw RedisReplyError() }
            let end = offset + count
            guard bytes.byteCount >= end + 2 else { return nil }
            guard bytes.equals(end..<end + 2, "\r\n") else { throw RedisReplyError() }
            defer { offset = end + 2 }
            return .text(text(bytes, offset..<end))
        case UInt8(ascii: "*"):
            let count = try integer(bytes, content)
            if count == -1 { return .null }
            guard 0...maxItems ~= count, depth < maxDepth else { throw RedisReplyError() }
            var items: [RedisReply] = []
            items.reserveCapacity(count)
            for _ in 0..<count {
                guard let item = try read(bytes, &offset, depth: depth + 1) else { return nil }
                items.append(item)
            }
            return .array(items)
        default: throw RedisReplyError()
        }
    }

    /// A line without its end.
    private static func line(_ bytes: RawSpan, _ offset: inout Int) throws(RedisReplyError) -> Range<Int>? {
        guard let end = bytes.firstIndex(of: ASCII.carriageReturn, in: offset..<bytes.byteCount) else {
            if bytes.byteCount - offset > maxLineBytes { throw RedisReplyError() }
            return nil
        }
        guard end - offset <= maxLineBytes else { throw RedisReplyError() }
        guard bytes.byteCount >= end + 2 else { return nil }
        guard bytes.byte(end + 1) == ASCII.lineFeed else { throw RedisReplyError() }
        defer { offset = end + 2 }
        return offset..<end
    }

    private static func text(_ bytes: RawSpan, _ range: Range<Int>) -> String {
        bytes.extracting(range).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    private static func integer(_ bytes: RawSpan, _ range: Range<Int>) throws(RedisReplyError) -> Int {
        let isNegative = bytes.byte(range.lowerBound) == UInt8(ascii: "-")
        let digits = isNegative ? range.dropFirst() : range
        // 18 digits can't overflow, and a script's numbers have 16 at most.
        guard 1...18 ~= digits.count else { throw RedisReplyError() }
        var number = 0
        for offset in digits {
            guard let digit = ASCII.digit(bytes.byte(offset)) else { throw RedisReplyError() }
            number = number * 10 + Int(digit)
        }
        return isNegative ? -number : number
    }
}

extension ByteBuffer {
    /// Writes a command: an array of texts.
    mutating func writeCommand(_ words: [String]) {
        writeCount("*", words.count)
        for word in words {
            writeCount("$", word.utf8.count)
            writeString(word)
            writeStaticString("\r\n")
        }
    }

    private mutating func writeCount(_ mark: StaticString, _ count: Int) {
        writeStaticString(mark)
        writeDecimal(count)
        writeStaticString("\r\n")
    }
}
