/// The fields of a `multipart/form-data` body. Sources: RFC 7578; RFC 2046, section 5.1.1.
public struct MultipartForm: Sendable, Equatable {
    /// One field of the form.
    public struct Part: Sendable, Equatable {
        /// The field's name.
        public let name: String
        /// The value of a text; nil for a file, which has a file name.
        public internal(set) var text: [UInt8]?
        /// The range of the value in the body.
        public internal(set) var value: Range<Int>
    }

    /// The fields, in the order of the body. A name may occur several times.
    public let parts: [Part]
    /// The `content-type` of the body, with its boundary.
    public let contentType: String
    /// The offset of the closing delimiter, before which more parts can be inserted.
    public let end: Int
    /// The text between two parts, without line ends around it.
    public let delimiter: [UInt8]
    /// The length of the body.
    public let bodyBytes: Int
}

/// The reason why a body is not a form, in words.
public struct MultipartError: Error, Equatable, Sendable {
    /// What is wrong, beginning in lower case.
    public let reason: String
}
