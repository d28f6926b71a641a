package import NIOCore

/// What is done with a request's body.
package enum BodyPlan: Sendable {
    /// Read it whole, at most so many bytes (and never more than `ServerLimits.maxBodyBytes`), then call `handle`.
    case collect(maxBytes: Int)
    /// The request has been answered, or will be, without its body.
    case responded
}

/// What the server calls for each request, on the connection's event loop. One for the process.
package protocol ServerHandler: AnyObject, Sendable {
    /// The head has arrived; nothing of the body was read, and no `100 Continue` was sent.
    func accept(_ exchange: ServerExchange) -> BodyPlan
    /// The body is complete: `exchange.body`, empty where there was none.
    func handle(_ exchange: ServerExchange)
    /// The server itself refuses a request (a bad head, limits, timeouts), before `accept` or between it and `handle`. Gives the response's fields and body.
    /// `head` is nil where it could not be parsed, `exchange` where `accept` was not reached; its observer hears nothing of it.
    func refuse(
        status: Int, reason: String, head: RequestHead?, exchange: ServerExchange?, remoteHost: String?, eventLoop: any EventLoop
    ) -> (ResponseHead, ByteBuffer)
}

/// What a running exchange tells its owner, on its event loop.
package protocol ClientObserver: AnyObject {
    /// The client has gone or takes nothing (FIN, RST, write stall) while the response is outstanding. At most once, never after `end` or `respond`, not for `abort`.
    func clientLeft()
    /// The bytes waiting for the client have passed the high mark (false), or sunk below the low one (true).
    func clientWritable(_ isWritable: Bool)
}
