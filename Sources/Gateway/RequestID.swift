import HTTPWire

/// The id that stands in the response's `x-request-id`, in the logs and in made-up answer ids.
enum RequestID {
    /// The client's own where it is at most 128 visible ASCII characters, else a new one.
    /// - Parameter random: 64 random bits.
    static func of(_ fields: HTTPFields, random: @autoclosure () -> UInt64) -> String {
        if fields.contains("x-request-id"), let given = fields.value("x-request-id"), (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        {
            return given
        }
        return made(random())
    }

    private static let digits: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    /// `req-` and eleven digits of base 64 (RFC 4648 section 5): fifteen bytes, which a string holds without memory of its own.
    private static func made(_ number: UInt64) -> String {
        String(unsafeUninitializedCapacity: 15) { buffer in
            _ = buffer.initialize(fromContentsOf: "req-".utf8)
            for position in 0..<11 {
                let digit = Int(truncatingIfNeeded: number >> UInt64(6 * position)) & 63
                buffer[4 + position] = digits.utf8Start[digit]
            }
            return 15
        }
    }
}
