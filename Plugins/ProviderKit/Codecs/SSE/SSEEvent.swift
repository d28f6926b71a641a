/// One event of a stream. Its ranges are of the bytes that the decoder was given in the call that returned it.
public struct SSEEvent: Sendable {
    /// All its bytes, the blank line included.
    public var frame: Range<Int>
    /// The value of its `data` line. Means nothing where there were several.
    public var data: Range<Int>
    /// The values of several `data` lines, joined with LF.
    public var joinedData: [UInt8]?
    /// The value of its `event` line; nil: it has none, and is a `message`.
    public var typeRange: Range<Int>?
    /// It is exactly one `data` line with LF line ends and nothing else, so that `frame` can be sent on as it is.
    public var isCanonical: Bool

    public func isType(_ name: StaticString, in bytes: RawSpan) -> Bool {
        if let typeRange { return bytes.equals(typeRange, name) }
        return name.utf8CodeUnitCount == 7 && name.withUTF8Buffer { $0.elementsEqual("message".utf8) }
    }

    /// What ill-formed UTF-8 there is becomes U+FFFD.
    public func dataText(in bytes: RawSpan) -> String {
        String(decoding: joinedData ?? Array(copying: data, of: bytes), as: UTF8.self)
    }

    public func type(in bytes: RawSpan) -> String {
        typeRange.map { String(decoding: Array(copying: $0, of: bytes), as: UTF8.self) } ?? "message"
    }
}

public enum SSEError: Error, Sendable, Equatable, CustomStringConvertible {
    case eventTooLarge(maxBytes: Int)

    public var description: String {
        switch self {
        case .eventTooLarge(let maxBytes): "an event of the stream is larger than \(maxBytes) bytes"
        }
    }
}
