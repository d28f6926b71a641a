/// A source of bytes for the body of an upstream request. A body is a list of sources, which are sent in order.
public enum BodySource: Sendable, Equatable {
    /// A range of the client's body, counted from its first byte, which a large body sends without a copy. A range of a
    /// body in a file is read when it is sent.
    /// The range must lie inside the client's body.
    case client(Range<Int>)
    /// Bytes that the plugin has made.
    case bytes([UInt8])
}
