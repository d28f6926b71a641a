/// The bytes of the mock's streams in one format, as HTTP chunks.
struct MockStream {
    /// The head of a response, and what comes before the first text.
    let opening: [UInt8]
    /// A numbered chunk; `stamp(_:number:at:)` fills in the digits.
    let chunk: [UInt8]
    let finish: [UInt8]
    /// What comes behind it if the client asks for usage.
    let usage: [UInt8]
    /// The end marker and the last HTTP chunk.
    let end: [UInt8]

    private let digits: Int
    /// Where the chunk has a message with a checksum; nil if it has none.
    private let message: Range<Int>?
    private static let numberDigits = 4
    private static let stampDigits = 16
    /// The text of a chunk without its digits.
    static let blank = String(repeating: "0", count: numberDigits) + " " + String(repeating: "0", count: stampDigits)

    /// - Parameters:
    ///   - type: the response's content type.
    ///   - before: what comes before the text of a chunk.
    ///   - isSealed: whether the chunk is a message of Amazon's event stream, with a checksum at its end.
    init(
        type: StaticString = "text/event-stream", opening: [UInt8], chunk: [UInt8], before: StaticString, finish: [UInt8],
        usage: [UInt8] = [], end: [UInt8] = [], isSealed: Bool = false
    ) {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.opening = Array(head.utf8) + MockStream.framed(opening)
        self.chunk = MockStream.framed(chunk)
        self.finish = MockStream.framed(finish)
        self.usage = MockStream.framed(usage)
        self.end = MockStream.framed(end) + Array("0\r\n\r\n".utf8)
        digits = self.chunk.withUnsafeBytes { $0.end(of: before) ?? 0 }
        let lineEnd = 2
        message = isSealed ? self.chunk.count - lineEnd - chunk.count..<self.chunk.count - lineEnd : nil
    }

    /// Writes the number and the time into a copy of `chunk`: 4 digits, a space and 16 digits of nanoseconds. After 115
    /// days of uptime the time no longer fits, and its first digits are lost.
    func stamp(_ chunk: UnsafeMutableRawBufferPointer, number: Int, at time: Nanoseconds) {
        MockStream.put(UInt64(number), MockStream.numberDigits, chunk, digits)
        MockStream.put(time, MockStream.stampDigits, chunk, digits + MockStream.numberDigits + 1)
        if let message { AmazonMessage.seal(UnsafeMutableRawBufferPointer(rebasing: chunk[message])) }
    }

    private static func put(_ value: UInt64, _ width: Int, _ bytes: UnsafeMutableRawBufferPointer, _ start: Int) {
        var value = value
        for at in stride(from: start + width - 1, through: start, by: -1) {
            bytes[at] = UInt8(truncatingIfNeeded: 0x30 + value % 10)
            value /= 10
        }
    }

    private static func framed(_ bytes: [UInt8]) -> [UInt8] {
        bytes.isEmpty ? [] : Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + Array("\r\n".utf8)
    }
}
