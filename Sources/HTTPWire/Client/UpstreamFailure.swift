/// The named deadlines of a request to an upstream.
package enum UpstreamTimer: String, Sendable, CaseIterable {
    case queue, connect, write
    case firstByte = "first_byte"
    case firstContent = "first_content"
    case idle, response, total
}

/// Why a request to an upstream failed.
package enum UpstreamFailure: Error, Sendable, Equatable {
    /// No connection: the name, the address or TLS. The words are for people.
    case unreachable(String)
    /// A fresh connection ended before any byte of the response.
    case reset
    /// The connection ended within the response.
    case truncated
    /// The bytes are not an HTTP/1.x response, or break a limit.
    case malformed(String)
    case timeout(UpstreamTimer)
    /// As many requests wait for a connection as may.
    case queueFull
}
