import HTTPWire

/// The id that stands in the answer's `x-request-id`, in the logs and in made-up answer ids.
enum RequestID {
    /// The caller's own where it is at most 128 visible ASCII characters, else a new one.
    /// - Parameter random: 64 random bits.
    static func of(_ fields: HTTPFields, random: @autoclosure () -> UInt64) -> String {
        if fields.contains("x-request-id"), let given = fields.value("x-request-id"), (1...128).contains(given.utf8.count), given.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
            return given
        }
        return made(random())
    }

    /// `req-` and sixteen hex digits.
    private static func made(_ number: UInt64) -> String {
        String(unsafeUninitializedCapacity: 20) { buffer in
            for (position, byte) in "req-".utf8.enumerated() { buffer[position] = byte }
            for position in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: number >> UInt64(60 - 4 * position)) & 0xF
                buffer[4 + position] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            }
            return 20
        }
    }
}
