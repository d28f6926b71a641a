/// The named deadlines of a request to an upstream.
package enum UpstreamTimer: String, Sendable, CaseIterable {
    case queue, connect, write
    case firstByte = "first_byte"
    case firstContent = "first_content"
    case idle, response, total
}

/// Why a request to an upstream failed.
package enum UpstreamFailure: Error, Sendable, Equatable {
    /// The name could not be resolved, or TCP or TLS failed. The message is for people.
    case unreachable(String)
    /// A fresh connection was closed before the first byte of the response.
    case reset
    /// The connection was closed in the middle of the response.
    case truncated
    /// The bytes are not an HTTP/1.x response or exceed a limit. The message is for people.
    case malformed(String)
    case timeout(UpstreamTimer)
    /// The pool's queue is full.
    case queueFull
    /// The process has no file descriptors, ports or memory left for another connection. The message is for people.
    case outOfResources(String)
}
