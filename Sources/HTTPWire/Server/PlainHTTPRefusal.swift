import NIOCore

/// Responds to a client that speaks plain HTTP to a listener with TLS, in words that it can read, where TLS could only
/// close the connection. Stands in front of the handler of TLS until the first bytes have arrived.
///
/// A connection with TLS begins with a record of type 22, a handshake, and a request with a capital letter.
/// Source: RFC 8446, section 5.1; RFC 9110, section 9.1.
final class PlainHTTPRefusal: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let message = "the plain HTTP request was sent to an HTTPS port; write 'https://' in the address"
    private var isRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        let bytes = unwrapInboundIn(data).readableBytesView
        guard let first = bytes.first else { return }
        guard UInt8(ascii: "A")...UInt8(ascii: "Z") ~= first else {
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
            return
        }
        isRefused = true
        let body = #"{"error":{"message":"\#(Self.message)","type":"invalid_request_error","code":"plain_http"}}"# + "\n"
        let response = ByteBuffer(
            string: "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n"
                + "connection: close\r\n\r\n\(body)")
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(response)).whenComplete { _ in channel.close(promise: nil) }
    }
}
