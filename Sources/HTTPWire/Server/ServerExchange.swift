package import NIOCore

/// One request and its response. Once the exchange is over (ended, aborted, or the client left), its methods do
/// nothing.
package final class ServerExchange: @unchecked Sendable {  // confined to its event loop
    /// nil once the exchange is over.
    var connection: ServerConnection?
    /// The bytes of the response's body sent so far, without framing.
    package internal(set) var bytesSent = 0
    /// How many of the response's bytes are kept in ``keptBody``.
    package var maxKeptBytes = 0
    /// The first bytes of the response's body.
    package private(set) var keptBody: [UInt8] = []
    /// Whether the client was cut off because it took no bytes. Set before `clientLeft` is called.
    package internal(set) var hasStalled = false
    /// Whether to close the connection after this response. Has no effect once the response's head is sent.
    package var closesConnection = false
    package let head: RequestHead
    /// The body in memory; empty if it is in a file.
    package internal(set) var body: ByteBuffer
    var spooledBody: SpooledBody?
    /// Whether the observer gets the body as it arrives.
    var isUpload = false
    package let eventLoop: any EventLoop
    /// The client's IP address, which a trusted proxy may have said; nil on a unix socket without such a proxy.
    package let remoteHost: String?
    /// Whether the request arrived on a unix socket.
    package let isLocalSocket: Bool
    /// Whether the request arrived over TLS.
    package let isEncrypted: Bool
    /// The client's certificate in DER form, which an authority of the listener has signed; nil if it has none.
    package var clientCertificate: [UInt8]? { connection?.clientCertificate }
    /// When the request's head was complete.
    package let acceptedAt: NIODeadline
    /// Is notified of the client's state; retained until the exchange is over.
    package var observer: (any ClientObserver)?

    /// The complete body.
    package var requestBody: RequestBody { RequestBody(body, file: spooledBody) }
    package var requestBodyBytes: Int { spooledBody?.count ?? body.readableBytes }

    /// A value that the handler keeps with the connection, from one request to the next.
    package var connectionState: AnyObject? {
        get { connection?.handlerState }
        set { connection?.handlerState = newValue }
    }

    init(head: RequestHead, connection: ServerConnection, eventLoop: any EventLoop, remoteHost: String?, acceptedAt: NIODeadline) {
        self.head = head
        self.connection = connection
        body = connection.loop.noBytes
        self.eventLoop = eventLoop
        self.remoteHost = remoteHost
        isLocalSocket = connection.isLocalSocket
        isEncrypted = connection.encrypted != nil
        self.acceptedAt = acceptedAt
    }

    /// Reads the body, after `BodyPlan.wait`. `ServerHandler.handle` follows, as for `BodyPlan.collect`.
    package func collectBody(_ limit: BodyLimit) { connection?.collectBody(self, limit) }

    /// Sends a non-streamed response. The head and a small body share one buffer, one write and one flush. A HEAD
    /// request gets only the head, with the body's length.
    package func respond(_ head: ResponseHead, _ body: ByteBuffer) { connection?.respond(self, head, body) }

    /// Whether a response with a body of so many bytes fits into the router's buffers, if the client doesn't read it.
    package func hasRoom(for bodyBytes: Int) -> Bool { connection?.loop.budget.hasRoom(for: bodyBytes) ?? true }

    /// The largest body, in bytes, that is copied into the same buffer as its head.
    package static let copyLimit = ResponseOutput.bufferedCopyLimit

    /// Sends a non-streamed response whose body has at most `copyLimit` bytes. `writeBody` appends exactly `bodyBytes`
    /// bytes to the head's buffer; it isn't called if no body is sent.
    package func respond(_ head: ResponseHead, bodyBytes: Int, _ writeBody: (inout ByteBuffer) -> Void) {
        connection?.respond(self, head, bodyBytes: bodyBytes, writeBody)
    }

    /// Begins a streamed response. The head is held until the first write, flush or end. The body is chunked; for an
    /// HTTP/1.0 client it ends with the connection.
    package func begin(_ head: ResponseHead) { connection?.begin(head) }

    /// Appends bytes to a streamed response without flushing them.
    package func write(_ bytes: ByteBuffer) { connection?.write(self, bytes) }

    package func flush() { connection?.flushResponse(self) }

    /// Ends a streamed response and flushes.
    package func end() { connection?.end(self) }

    /// Keeps bytes of the response's body, as far as they are wanted.
    func keep(_ bytes: @autoclosure () -> ByteBufferView) {
        let room = maxKeptBytes - keptBody.count
        if room > 0 { keptBody += bytes().prefix(room) }
    }

    /// Closes the connection without ending the response, so that the client sees a truncated response.
    package func abort() { connection?.closeNow() }
}
