/// Writes the messages of Amazon's binary event streams.
package enum AWSEventStream {
    /// An event of a stream, with a JSON payload.
    package static func event(_ type: String, _ json: String) -> [UInt8] {
        message([(":event-type", type), (":content-type", "application/json"), (":message-type", "event")], Array(json.utf8))
    }

    /// An exception, which ends a stream.
    package static func exception(_ type: String, _ json: String) -> [UInt8] {
        message([(":exception-type", type), (":content-type", "application/json"), (":message-type", "exception")], Array(json.utf8))
    }

    package static func message(_ headers: [(String, String)], _ payload: [UInt8]) -> [UInt8] {
        var head: [UInt8] = []
        for (name, value) in headers {
            head.append(UInt8(name.utf8.count))
            head += Array(name.utf8)
            head.append(7)
            head += bytes(UInt32(value.utf8.count)).suffix(2)
            head += Array(value.utf8)
        }
        let total = head.count + payload.count + 16
        return sealed(bytes(UInt32(total)) + bytes(UInt32(head.count)), head + payload)
    }

    /// A message with these lengths, right or wrong, and the right checksums.
    package static func sealed(_ lengths: [UInt8], _ rest: [UInt8]) -> [UInt8] {
        let message = lengths + bytes(checksum(lengths)) + rest
        return message + bytes(checksum(message))
    }

    private static func bytes(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { (shift: UInt32) in UInt8(truncatingIfNeeded: number >> shift) }
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var checksum = UInt32.max
        for byte in bytes {
            checksum ^= UInt32(byte)
            for _ in 0..<8 { checksum = checksum & 1 == 0 ? checksum >> 1 : (checksum >> 1) ^ 0xEDB8_8320 }
        }
        return ~checksum
    }
}
