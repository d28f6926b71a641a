import Codecs
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
        let start = buffer.readerIndex
        guard let reply = try read(&buffer, depth: 0) else {
            buffer.moveReaderIndex(to: start)
            return nil
        }
        return reply
    }

    private static func read(_ buffer: inout ByteBuffer, depth: Int) throws(RedisReplyError) -> RedisReply? {
        guard let line = try line(&buffer) else { return nil }
        let text = String(line.dropFirst())
        switch line.first {
        case "+": return .text(text)
        case "-": return .error(text)
        case ":": return .integer(try integer(text))
        case "$":
            let count = try integer(text)
            if count == -1 { return .null }
            guard 0...maxTextBytes ~= count else { throw RedisReplyError() }
            guard buffer.readableBytes >= count + 2 else { return nil }
            guard let text = buffer.readString(length: count), buffer.readString(length: 2) == "\r\n" else { throw RedisReplyError() }
            return .text(text)
        case "*":
            let count = try integer(text)
            if count == -1 { return .null }
            guard 0...maxItems ~= count, depth < maxDepth else { throw RedisReplyError() }
            var items: [RedisReply] = []
            for _ in 0..<count {
                guard let item = try read(&buffer, depth: depth + 1) else { return nil }
                items.append(item)
            }
            return .array(items)
        default: throw RedisReplyError()
        }
    }

    /// A line without its end.
    private static func line(_ buffer: inout ByteBuffer) throws(RedisReplyError) -> String? {
        guard let length = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\r")).map({ $0 - buffer.readerIndex }) else {
            if buffer.readableBytes > maxLineBytes { throw RedisReplyError() }
            return nil
        }
        guard length <= maxLineBytes else { throw RedisReplyError() }
        guard buffer.readableBytes >= length + 2 else { return nil }
        guard let line = buffer.readString(length: length), buffer.readString(length: 2) == "\r\n" else { throw RedisReplyError() }
        return line
    }

    private static func integer(_ text: String) throws(RedisReplyError) -> Int {
        guard let number = Int(text) else { throw RedisReplyError() }
        return number
    }
}

extension ByteBuffer {
    /// Writes a command: an array of texts.
    mutating func writeCommand(_ words: [String]) {
        writeString("*\(words.count)\r\n")
        for word in words {
            writeString("$\(word.utf8.count)\r\n")
            writeString(word)
            writeString("\r\n")
        }
    }
}
