package import NIOCore

/// How the server handles a request's body.
package enum BodyPlan: Sendable {
    /// Read the complete body, then call `handle`. A body above `maxBytes` or the limit of `ServerLimits` is a 413.
    case collect(BodyLimit)
    /// Read none of the body until `ServerExchange.collectBody`.
    case wait
    /// The handler has responded, or will respond, without the body.
    case responded
}

/// What a request's body may be.
package struct BodyLimit: Sendable {
    package let maxBytes: Int
    /// Whether the client's observer gets the body as it arrives, and it goes into a file if it is larger than
    /// `uploadMemoryBytes`.
    package let isUpload: Bool

    /// The largest upload that is kept in memory.
    static let uploadMemoryBytes = 1 << 20

    package init(maxBytes: Int, isUpload: Bool = false) {
        self.maxBytes = maxBytes
        self.isUpload = isUpload
    }
}

/// Handles the server's requests; called on each connection's event loop. One handler serves the whole process.
package protocol ServerHandler: AnyObject, Sendable {
    /// The head has arrived. None of the body has been read, and no `100 Continue` has been sent.
    func accept(_ exchange: ServerExchange) -> BodyPlan
    /// The body is complete in `exchange.body`, or in `exchange.requestBody` if it may be an upload. It is empty if the
    /// request has none.
    func handle(_ exchange: ServerExchange)
    /// The server itself refuses a request because of a bad head, a limit or a timeout, before `accept` or between
    /// `accept` and `handle`. The exchange's observer is not notified.
    ///
    /// - Parameters:
    ///   - fault: the status and the reason of the refusal.
    ///   - head: nil if `accept` was not called.
    ///   - exchange: nil if `accept` was not called.
    /// - Returns: the response's fields and body.
    func refuse(
        _ fault: WireFault, head: RequestHead?, exchange: ServerExchange?, remoteHost: String?, eventLoop: any EventLoop
    ) -> (ResponseHead, ByteBuffer)
}

/// Observes the client of a running exchange, on the exchange's event loop.
package protocol ClientObserver: AnyObject {
    /// The client left (FIN or RST) or was cut off (write stall) while the response was outstanding. Called at most
    /// once, never after `end`, `respond` or `abort`.
    func clientLeft()
    /// The bytes that wait for the client rose above the high water mark (false) or fell below the low one (true).
    func clientWritable(_ isWritable: Bool)
    /// The next bytes of an upload have arrived. They may be refused by a response.
    func uploadArrived(_ bytes: ByteBuffer)
}
