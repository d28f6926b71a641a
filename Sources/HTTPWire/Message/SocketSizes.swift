import NIOCore

/// The sizes of socket and channel buffers, for client and upstream connections.
enum SocketSizes {
    /// SO_SNDBUF and SO_RCVBUF in bytes; the kernel doubles the value for its bookkeeping. It is fixed, because
    /// auto-tuning lets the buffers of a stalled stream grow to megabytes.
    static let buffer: SocketOptionValue = 128 * 1024
    /// Above the high mark, nothing more is read for the peer until the low mark is reached.
    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 8 * 1024, high: 16 * 1024)
    /// The consecutive reads from a socket before other sockets get their turn.
    static let maxReads: UInt = 1
    /// The consecutive reads for a message that is collected completely: 4 MB need 90 waits for the socket instead of
    /// 250.
    static let maxReadsAhead: UInt = 4
    /// The size of a read: small for chunks and heads, larger for large bodies. Bytes that wait for a stalled client
    /// keep their whole read buffer in memory, so the maximum is low.
    static let receiveAllocator: any RecvByteBufferAllocator = AdaptiveRecvByteBufferAllocator(
        minimum: 2048, initial: 4096, maximum: largestRead)
    static let largestRead = 16 * 1024
}

/// How a connection's socket is read.
struct ReadMode {
    enum Mode {
        case usual
        /// With more consecutive reads, for a large message that is collected completely.
        case ahead
        /// Not at all; TCP's flow control stops the peer.
        case paused
    }

    private(set) var mode: Mode = .usual

    mutating func set(_ mode: Mode, _ context: ChannelHandlerContext?) {
        guard mode != self.mode else { return }
        let old = self.mode
        self.mode = mode
        let options = context?.channel.syncOptions
        if (mode == .ahead) != (old == .ahead) {
            try? options?.setOption(.maxMessagesPerRead, value: mode == .ahead ? SocketSizes.maxReadsAhead : SocketSizes.maxReads)
        }
        if (mode == .paused) != (old == .paused) { try? options?.setOption(.autoRead, value: mode != .paused) }
    }
}
