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
    private static let numberDigits = 4
    private static let stampDigits = 16
    /// The text of a chunk without its digits.
    static let blank = String(repeating: "0", count: numberDigits) + " " + String(repeating: "0", count: stampDigits)

    /// - Parameter before: what comes before the text of a chunk.
    init(opening: String, chunk: String, before: StaticString, finish: String, usage: String, end: String) {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.opening = Array(head.utf8) + MockStream.framed(opening)
        self.chunk = MockStream.framed(chunk)
        self.finish = MockStream.framed(finish)
        self.usage = usage.isEmpty ? [] : MockStream.framed(usage)
        self.end = MockStream.framed(end) + Array("0\r\n\r\n".utf8)
        digits = self.chunk.withUnsafeBytes { $0.end(of: before) ?? 0 }
    }

    /// Writes the number and the time into a copy of `chunk`: 4 digits, a space and 16 digits of nanoseconds. After 115
    /// days of uptime the time no longer fits, and its first digits are lost.
    func stamp(_ chunk: UnsafeMutableRawBufferPointer, number: Int, at time: Nanoseconds) {
        MockStream.put(UInt64(number), MockStream.numberDigits, chunk, digits)
        MockStream.put(time, MockStream.stampDigits, chunk, digits + MockStream.numberDigits + 1)
    }

    private static func put(_ value: UInt64, _ width: Int, _ bytes: UnsafeMutableRawBufferPointer, _ start: Int) {
        var value = value
        for at in stride(from: start + width - 1, through: start, by: -1) {
            bytes[at] = UInt8(truncatingIfNeeded: 0x30 + value % 10)
            value /= 10
        }
    }

    private static func framed(_ events: String) -> [UInt8] {
        Array("\(String(events.utf8.count, radix: 16))\r\n\(events)\r\n".utf8)
    }
}
