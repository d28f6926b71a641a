package import NIOCore

/// One request and its response. Once the exchange is over (ended, aborted, or the client left) every method does nothing.
package final class ServerExchange: @unchecked Sendable {  // confined to its event loop
    /// nil once the exchange is over.
    var connection: ServerConnection?
    /// Bytes of the body handed over so far, without framing.
    package internal(set) var bytesSent = 0
    var isBegun = false
    /// Whether the head's bytes have been handed over: from then on the status is fixed.
    package internal(set) var isHeadSent = false
    /// Whether the client was cut off because it took nothing, before `clientLeft` tells of its end.
    package internal(set) var hasStalled = false
    /// Whether the connection is to be closed after this response. Matters until the head is sent.
    package var closeAfter = false
    package let head: RequestHead
    package internal(set) var body: ByteBuffer
    package let eventLoop: any EventLoop
    /// The client's IP address; nil on a unix socket.
    package let remoteHost: String?
    /// When the head was complete.
    package let acceptedAt: NIODeadline
    /// Told what becomes of the client; held until the exchange is over.
    package var observer: (any ClientObserver)?

    /// What the handler remembers of the connection, from one request to the next.
    package var connectionMemory: AnyObject? {
        get { connection?.memory }
        set { connection?.memory = newValue }
    }

    init(head: RequestHead, connection: ServerConnection, eventLoop: any EventLoop, remoteHost: String?, acceptedAt: NIODeadline) {
        self.head = head
        self.connection = connection
        body = connection.loop.noBytes
        self.eventLoop = eventLoop
        self.remoteHost = remoteHost
        self.acceptedAt = acceptedAt
    }

    /// Whether the response is still outstanding.
    package var isOpen: Bool { connection != nil }

    /// Whether fewer bytes wait for the client than the high mark.
    package var isWritable: Bool { connection?.isWritable ?? false }

    /// The non-streamed response. Head and small body go out in one buffer, one write and one flush. A HEAD request gets the head alone, with the body's length.
    package func respond(_ head: ResponseHead, _ body: ByteBuffer) { connection?.respond(self, head, body) }

    /// A body up to so many bytes is copied behind its head.
    package static let copyLimit = ResponseOutput.bufferedCopyLimit

    /// The same, where the body is small and still to be written: `writeBody` writes `bodyBytes` bytes behind the head, or isn't called where none are sent.
    package func respond(_ head: ResponseHead, bodyBytes: Int, _ writeBody: (inout ByteBuffer) -> Void) {
        connection?.respond(self, head, bodyBytes: bodyBytes, writeBody)
    }

    /// Begins a streamed response. The head is held until the first write, flush or end. Chunked; towards HTTP/1.0 it ends with the connection.
    package func begin(_ head: ResponseHead) { connection?.begin(self, head) }

    /// Adds bytes to a streamed response, without a flush.
    package func write(_ bytes: ByteBuffer) { connection?.write(self, bytes) }

    package func flush() { connection?.flushResponse(self) }

    /// Ends a streamed response and flushes.
    package func end() { connection?.end(self) }

    /// Closes the connection as it is: the client sees that the response is cut.
    package func abort() { connection?.abort(self) }
}
