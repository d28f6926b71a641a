/// The response of a provider that responds from inside the process: what a server would have sent, and when.
///
/// The router plays it like the response of a server. Its chunks go through the provider's decoder, and timeouts,
/// cancellation and backpressure apply.
public struct LocalResponse: Sendable {
    /// The head, which arrives with the first chunk.
    public var head: UpstreamHead
    /// The body, in the chunks in which it arrives. The response ends after the last chunk.
    public var chunks: [Chunk]

    /// A part of a body that arrives in one read.
    public struct Chunk: Sendable {
        /// The time from the chunk before, or from the request, to this chunk.
        public var delay: Duration
        /// The bytes of the chunk.
        public var bytes: [UInt8]

        /// Creates a chunk.
        public init(delay: Duration = .zero, bytes: [UInt8]) {
            self.delay = delay
            self.bytes = bytes
        }
    }

    /// Creates a response.
    public init(head: UpstreamHead, chunks: [Chunk]) {
        self.head = head
        self.chunks = chunks
    }
}
