package import NIOCore

/// The head of an upstream's response.
package struct UpstreamResponseHead: Sendable {
    package let status: Int
    package let fields: HTTPFields

    package init(status: Int, fields: HTTPFields) {
        self.status = status
        self.fields = fields
    }
}

/// What becomes of one request to an upstream, told on the pool's event loop. Held until the call is over; it may cancel from inside any of these.
package protocol UpstreamDelegate: AnyObject {
    /// The whole request is written to the socket. Once; with a connection at hand it comes before `start` returns.
    func upstreamRequestSent(_ call: UpstreamCall)
    func upstream(_ call: UpstreamCall, head: UpstreamResponseHead)
    /// De-framed bytes: a slice of the read buffer, at most 64 KiB.
    func upstream(_ call: UpstreamCall, body: ByteBuffer)
    /// The end of one read that brought something: the place to flush. Not called after `upstreamEnd` or a failure.
    func upstreamReadComplete(_ call: UpstreamCall)
    /// The response is complete.
    func upstreamEnd(_ call: UpstreamCall)
    /// At most once; nothing comes after it, and it never comes before `start` returns.
    func upstream(_ call: UpstreamCall, failed: UpstreamFailure)
    /// False holds body bytes and the next read back, until `resumeReading`.
    var upstreamMayRead: Bool { get }
}
