/// A message of Amazon's event stream. Source: Amazon Transcribe's guide, "Event stream encoding".
enum AmazonMessage {
    /// An event with a JSON payload, sealed.
    static func event(_ type: String, _ json: String) -> [UInt8] {
        var head: [UInt8] = []
        for (name, value) in [(":event-type", type), (":content-type", "application/json"), (":message-type", "event")] {
            head.append(UInt8(name.utf8.count))
            head += Array(name.utf8)
            head += [textType, 0, UInt8(value.utf8.count)]
            head += Array(value.utf8)
        }
        let lengths = bytes(UInt32(12 + head.count + json.utf8.count + 4)) + bytes(UInt32(head.count))
        var message = lengths
        message += lengths.withUnsafeBytes { bytes(checksum($0)) }
        message += head
        message += Array(json.utf8)
        message += bytes(0)
        message.withUnsafeMutableBytes { seal($0) }
        return message
    }

    /// Writes the checksum at the end of a message.
    static func seal(_ message: UnsafeMutableRawBufferPointer) {
        let content = UnsafeRawBufferPointer(rebasing: message.dropLast(4))
        for (offset, byte) in bytes(checksum(content)).enumerated() { message[content.count + offset] = byte }
    }

    private static let textType: UInt8 = 7

    private static func bytes(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { (shift: UInt32) in UInt8(truncatingIfNeeded: number >> shift) }
    }

    /// CRC-32 as in zlib, byte by byte.
    private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        ~bytes.reduce(UInt32.max) { table[Int(($0 ^ UInt32($1)) & 0xFF)] ^ ($0 >> 8) }
    }

    private static let table: [UInt32] = (0..<256).map { byte in
        var value = UInt32(byte)
        for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : (value >> 1) ^ 0xEDB8_8320 }
        return value
    }
}
