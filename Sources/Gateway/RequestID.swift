import HTTPWire

/// The id of a request. It appears in the response's `x-request-id`, in the logs, and in response ids that the router
/// generates.
struct RequestID {
    let text: String
    /// Whether the client has chosen it.
    let isClients: Bool

    /// The client's `x-request-id` if it consists of 1 to 128 visible ASCII characters, otherwise a new id.
    ///
    /// - Parameter random: 64 random bits.
    static func of(_ fields: HTTPFields, random: @autoclosure () -> UInt64) -> RequestID {
        if fields.contains("x-request-id"), let requested = fields.value("x-request-id"), (1...128).contains(requested.utf8.count),
            requested.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        {
            return RequestID(text: requested, isClients: true)
        }
        return RequestID(text: generated(from: random()), isClients: false)
    }

    private static let digits: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    /// `req-` and 11 base64url digits (RFC 4648, section 5): 15 bytes, which a string stores inline.
    private static func generated(from number: UInt64) -> String {
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
