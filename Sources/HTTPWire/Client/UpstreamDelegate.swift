package import NIOCore

/// The head of an upstream's response.
package struct UpstreamResponseHead: Sendable {
    package let status: Int
    package let fields: HTTPFields
}

/// Receives the events of one request to an upstream, on the pool's event loop. The call retains its delegate until it
/// is over. The delegate may cancel the call from inside any of these methods.
package protocol UpstreamDelegate: AnyObject {
    /// The upstream has closed a kept connection before the first byte of its response. Returns whether the request is
    /// sent again, once, on a fresh connection; if not, the request fails with `reset`.
    ///
    /// Usually the upstream had closed the connection before the request arrived, but it may also have read the
    /// request.
    func upstreamMayReplay(_ call: UpstreamCall) -> Bool
    /// The complete request is written to the socket. Called once; before `start` returns if an idle connection is
    /// used.
    func upstreamRequestSent(_ call: UpstreamCall)
    func upstream(_ call: UpstreamCall, head: UpstreamResponseHead)
    /// A part of the body without framing: a slice of the read buffer, at most 64 KiB.
    func upstream(_ call: UpstreamCall, body: ByteBuffer)
    /// A read that brought a head or body bytes is complete; the delegate flushes here. Not called after the response's
    /// end or a failure.
    func upstreamReadComplete(_ call: UpstreamCall)
    /// The response is complete.
    func upstreamEnd(_ call: UpstreamCall)
    /// The request failed. Called at most once, never before `start` returns; no other method is called after it.
    func upstream(_ call: UpstreamCall, failed: UpstreamFailure)
    /// Whether the delegate can take body bytes. If not, body bytes and further reads wait until `resumeReading`.
    var isReadyForUpstreamBody: Bool { get }
}
