import NIOCore

/// How much may wait where, on both sides.
enum SocketSizes {
    /// SO_SNDBUF and SO_RCVBUF, in bytes; the kernel doubles it for its own bookkeeping. Fixed, because auto-tuning lets a stalled stream grow to megabytes.
    static let buffer: SocketOptionValue = 128 * 1024
    /// Above the high mark nothing more is read for a peer, until the low one is reached.
    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 8 * 1024, high: 16 * 1024)
    /// Reads in a row from one socket before its handler is asked whether it wants more.
    static let readsInARow: UInt = 1
    /// The same, for what is gathered in any case: 4 MB then take 90 waits for the socket instead of 250.
    static let greedyReadsInARow: UInt = 4
    /// One read: small for chunks and heads, grown by large bodies. What waits for a stalled client keeps whole reads in memory, so the largest is no larger.
    static let receiveAllocator: any RecvByteBufferAllocator = AdaptiveRecvByteBufferAllocator(
        minimum: 2048, initial: 4096, maximum: largestRead)
    static let largestRead = 16 * 1024
}

extension ChannelHandlerContext {
    /// Whether the channel reads by itself; what is not read is held back by the peer's window.
    func setReading(_ isOn: Bool) {
        try? channel.syncOptions?.setOption(.autoRead, value: isOn)
    }

    func setGreedy(_ isOn: Bool) {
        try? channel.syncOptions?.setOption(.maxMessagesPerRead, value: isOn ? SocketSizes.greedyReadsInARow : SocketSizes.readsInARow)
    }
}
