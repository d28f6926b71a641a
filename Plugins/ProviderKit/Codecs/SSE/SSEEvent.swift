/// An event of a stream of server-sent events. Its ranges refer to the bytes of the call that returned it.
public struct SSEEvent: Sendable {
    /// The range of the entire event, with all its lines and its blank line.
    public var frame: Range<Int>
    /// The range of the value of the event's only `data` line. If the event has several, use ``joinedData``.
    public var data: Range<Int>
    /// The values of several `data` lines, joined with LF; nil if the event has only one.
    public var joinedData: [UInt8]?
    /// The range of the value of the `event` line; nil if the event has none, which makes its type `message`.
    public var typeRange: Range<Int>?
    /// Whether the frame can be sent on as it is: it is exactly one `data` line and a blank line, both ended by LF.
    public var isCanonical: Bool
    /// Whether the frame can be sent on as it is to a client that also reads the event's other fields: it has exactly
    /// one `data` line, and each line is ended by LF.
    public var isPlain: Bool

    /// Whether the event has the type `name`. An event without an `event` line has the type `message`.
    ///
    /// - Parameters:
    ///   - name: the type.
    ///   - bytes: the bytes of the call that returned the event.
    public func isType(_ name: StaticString, in bytes: RawSpan) -> Bool {
        if let typeRange { return bytes.equals(typeRange, name) }
        return name.utf8CodeUnitCount == 7 && name.withUTF8Buffer { $0.elementsEqual("message".utf8) }
    }
}

/// An error in a stream of server-sent events.
public enum SSEError: Error, Sendable, Equatable, CustomStringConvertible {
    /// An event is larger than the decoder's limit.
    case eventTooLarge(maxBytes: Int)

    /// The error in words.
    public var description: String {
        switch self {
        case .eventTooLarge(let maxBytes): "an event of the stream is larger than \(maxBytes) bytes"
        }
    }
}
