/// A part of the body that goes upstream.
public enum BodySource: Sendable, Equatable {
    /// A range of the client's body, which is sent without a copy.
    case client(Range<Int>)
    case bytes([UInt8])
}
