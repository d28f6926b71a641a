import Glibc

/// Reads HTTP messages from a socket. Bytes that have arrived but are not consumed yet stay in `buffer`.
final class MessageReader {
    /// Why a message did not arrive completely.
    enum Fault: Error, Equatable {
        case ended
        case reset
        case deadline
        case malformed(String)
    }

    let socket: Socket
    private(set) var buffer: [UInt8] = []

    init(_ socket: Socket) {
        self.socket = socket
    }

    func fill(_ deadline: Deadline) throws {
        switch socket.receive(until: deadline) {
        case .bytes(let bytes): buffer += bytes
        case .end: throw Fault.ended
        case .reset: throw Fault.reset
        case .deadline: throw Fault.deadline
        }
    }

    func readHead(_ deadline: Deadline) throws -> HTTPHead {
        var scanned = 0
        while true {
            if let end = buffer.firstRange(of: [13, 10, 13, 10], from: scanned) {
                return HTTPHead(take(end.upperBound))
            }
            scanned = max(0, buffer.count - 3)
            try fill(deadline)
        }
    }

    func readExactly(_ count: Int, _ deadline: Deadline) throws -> [UInt8] {
        while buffer.count < count { try fill(deadline) }
        return take(count)
    }

    /// Returns the data of one chunk, or nil for the last chunk, whose trailers are read too.
    func readChunk(_ deadline: Deadline) throws -> [UInt8]? {
        let size = try readLine(deadline)
        let digits = size.split(separator: ";", omittingEmptySubsequences: false)[0]
        guard let count = Int(digits, radix: 16), count >= 0, digits.first != "+" else { throw Fault.malformed("chunk size '\(size)'") }
        guard count > 0 else {
            while try !readLine(deadline).isEmpty {}
            return nil
        }
        let data = try readExactly(count, deadline)
        guard try readExactly(2, deadline) == [13, 10] else { throw Fault.malformed("no line end after a chunk's data") }
        return data
    }

    /// Reads the body that `head` announces.
    /// - Parameter untilClose: whether a body without a length ends with the connection, as in a response. In a request
    ///   it is empty.
    func readBody(_ head: HTTPHead, untilClose: Bool, _ deadline: Deadline) throws -> [UInt8] {
        if head.isChunked {
            var body: [UInt8] = []
            while let data = try readChunk(deadline) { body += data }
            return body
        }
        if let count = head.contentLength { return try readExactly(count, deadline) }
        return untilClose ? try readToEnd(deadline) : []
    }

    func readToEnd(_ deadline: Deadline) throws -> [UInt8] {
        while true {
            do { try fill(deadline) } catch Fault.ended { return take(buffer.count) }
        }
    }

    private func readLine(_ deadline: Deadline) throws -> String {
        while true {
            if let end = buffer.firstRange(of: [13, 10], from: 0) {
                return String(decoding: take(end.upperBound).dropLast(2), as: UTF8.self)
            }
            try fill(deadline)
        }
    }

    func take(_ count: Int) -> [UInt8] {
        let taken = Array(buffer.prefix(count))
        buffer.removeFirst(count)
        return taken
    }
}

extension [UInt8] {
    package func firstRange(of part: [UInt8], from start: Int) -> Range<Int>? {
        guard let first = part.first, count >= part.count else { return nil }
        let found = withUnsafeBytes { bytes -> Int? in
            var index = start
            while index <= bytes.count - part.count {
                guard let base = bytes.baseAddress, let hit = memchr(base + index, Int32(first), bytes.count - part.count - index + 1)
                else { return nil }
                index = base.distance(to: UnsafeRawPointer(hit))
                if bytes[index..<(index + part.count)].elementsEqual(part) { return index }
                index += 1
            }
            return nil
        }
        return found.map { $0..<($0 + part.count) }
    }
}
