/// A reader of a `multipart/form-data` body that gets the body in parts of any size, as it arrives. It keeps the texts
/// of the form, and of its files only where they are. Wherever the body is cut, the form is the same.
///
/// It is strict where readers differ, so that no upstream sees another form than the router: line ends are CR LF, heads
/// are not folded, and a field has one name. Sources: RFC 7578; RFC 2046, section 5.1.1.
public struct MultipartReader: Sendable {
    /// The most fields of a form.
    public static let maxParts = 256
    /// The longest head of a field, in bytes.
    public static let maxHeadBytes = 8 << 10
    /// The bytes that all texts of a form may have together.
    public static let maxTextBytes = 1 << 20

    private enum State {
        case preamble
        /// Behind a delimiter, whose line may end with blanks, or with two hyphens if it is the last.
        case delimiter, padding, hyphen, lineFeed
        case head
        case value
        case epilogue
    }

    private let contentType: String
    /// CR LF and the delimiter. CR occurs only at its beginning, so a search never has to go back.
    private let mark: [UInt8]
    private var state = State.preamble
    /// How many bytes of the mark have just been read. A delimiter may begin the body, and the value of a part.
    private var matched = 2
    /// The bytes of the body that came before the current ones.
    private var offset = 0
    private var head: [UInt8] = []
    private var parts: [MultipartForm.Part] = []
    private var textBytes = 0
    /// The offset of the last delimiter.
    private var end = 0

    /// Creates a reader for a body with this `content-type`.
    public init(contentType: String) throws(MultipartError) {
        guard let type = HeaderParameters(contentType), type.word == "multipart/form-data", let boundary = type["boundary"] else {
            throw MultipartError(reason: "its content-type must be multipart/form-data with a boundary")
        }
        guard (1...70).contains(boundary.utf8.count), boundary.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) else {
            throw MultipartError(reason: "its boundary must be 1 to 70 visible characters")
        }
        self.contentType = contentType
        mark = Array("\r\n--\(boundary)".utf8)
    }

    /// Reads the next bytes of the body.
    public mutating func read(_ bytes: RawSpan) throws(MultipartError) {
        var index = 0
        while index < bytes.byteCount {
            switch state {
            case .preamble, .value: index = try readToDelimiter(bytes, from: index)
            case .head: index = try readHead(bytes, from: index)
            case .epilogue: index = bytes.byteCount
            case .delimiter, .padding, .hyphen, .lineFeed:
                try readLineEnd(bytes.byte(index))
                index += 1
            }
        }
        offset += bytes.byteCount
    }

    /// The form, once the body is complete.
    public func finish() throws(MultipartError) -> MultipartForm {
        guard case .epilogue = state else { throw MultipartError(reason: "it ends before its closing delimiter") }
        return MultipartForm(parts: parts, contentType: contentType, end: end, delimiter: Array(mark.dropFirst(2)), bodyBytes: offset)
    }

    private mutating func readToDelimiter(_ bytes: RawSpan, from start: Int) throws(MultipartError) -> Int {
        var index = start
        while index < bytes.byteCount, matched < mark.count {
            if matched == 0 {
                guard let found = bytes.firstIndex(of: ASCII.carriageReturn, in: index..<bytes.byteCount) else {
                    index = bytes.byteCount
                    break
                }
                index = found + 1
                matched = 1
            } else {
                let byte = bytes.byte(index)
                matched = byte == mark[matched] ? matched + 1 : byte == ASCII.carriageReturn ? 1 : 0
                index += 1
            }
        }
        if case .value = state { try keep(bytes.extracting(start..<index)) }
        if matched == mark.count { endPart(at: offset + index) }
        return index
    }

    /// Keeps the bytes of a text. The delimiter is removed when it is complete.
    private mutating func keep(_ bytes: RawSpan) throws(MultipartError) {
        guard !parts.isEmpty, parts[parts.count - 1].text != nil else { return }
        textBytes += bytes.byteCount
        guard textBytes <= Self.maxTextBytes else {
            throw MultipartError(
                reason: "its texts are longer than \(Self.maxTextBytes >> 20) MiB together; a file needs a 'filename'")
        }
        bytes.withUnsafeBytes { parts[parts.count - 1].text?.append(contentsOf: $0) }
    }

    /// - Parameter place: the offset behind the delimiter.
    private mutating func endPart(at place: Int) {
        end = place - mark.count + 2
        if case .value = state {
            let start = parts[parts.count - 1].value.lowerBound
            parts[parts.count - 1].value = start..<max(start, place - mark.count)
            if let count = parts[parts.count - 1].text?.count { parts[parts.count - 1].text?.removeLast(min(count, mark.count)) }
        }
        state = .delimiter
    }

    private mutating func readLineEnd(_ byte: UInt8) throws(MultipartError) {
        switch (state, byte) {
        case (.delimiter, UInt8(ascii: "-")): state = .hyphen
        case (.hyphen, UInt8(ascii: "-")): state = .epilogue
        case (.delimiter, ASCII.space), (.delimiter, ASCII.tab), (.padding, ASCII.space), (.padding, ASCII.tab): state = .padding
        case (.delimiter, ASCII.carriageReturn), (.padding, ASCII.carriageReturn): state = .lineFeed
        case (.lineFeed, ASCII.lineFeed):
            head.removeAll(keepingCapacity: true)
            state = .head
        default: throw MultipartError(reason: "other text follows a delimiter on its line")
        }
    }

    private mutating func readHead(_ bytes: RawSpan, from start: Int) throws(MultipartError) -> Int {
        var index = start
        while index < bytes.byteCount {
            let byte = bytes.byte(index)
            head.append(byte)
            index += 1
            if byte == ASCII.lineFeed, head.count == 2 || head.suffix(4).elementsEqual([13, 10, 13, 10]) {
                guard parts.count < Self.maxParts else { throw MultipartError(reason: "it has more than \(Self.maxParts) parts") }
                parts.append(try MultipartForm.Part(head: head, start: offset + index))
                state = .value
                matched = 2
                break
            }
            guard head.count < Self.maxHeadBytes else {
                throw MultipartError(reason: "the head of a part is longer than \(Self.maxHeadBytes >> 10) KiB")
            }
        }
        return index
    }
}

extension MultipartForm.Part {
    /// - Parameter head: the lines of the head, and an empty one.
    fileprivate init(head: [UInt8], start: Int) throws(MultipartError) {
        var disposition: HeaderParameters?, isEncoded = false
        for line in String(decoding: head, as: UTF8.self).split(separator: "\r\n") {
            guard let colon = line.utf8.firstIndex(of: ASCII.colon), line.utf8.allSatisfy({ $0 >= ASCII.space || $0 == ASCII.tab }) else {
                throw MultipartError(reason: "the head of a part has a line that is no header field")
            }
            let value = String(line[line.utf8.index(after: colon)...].trimmingBlanks())
            switch line[..<colon].lowercased() {
            case "content-disposition":
                guard disposition == nil, let read = HeaderParameters(value), read.word == "form-data" else {
                    throw MultipartError(reason: "the head of a part has no valid content-disposition")
                }
                disposition = read
            case "content-transfer-encoding": isEncoded = !["7bit", "8bit", "binary"].contains(value.lowercased())
            case let name where name.utf8.contains(ASCII.space) || name.utf8.contains(ASCII.tab):
                throw MultipartError(reason: "the head of a part has a line that is no header field")
            default: break
            }
        }
        guard let disposition, let name = disposition["name"], disposition["name*"] == nil else {
            throw MultipartError(reason: "a part has no name")
        }
        let isFile = disposition["filename"] != nil || disposition["filename*"] != nil
        if isEncoded, !isFile { throw MultipartError(reason: "the part '\(name.prefix(64))' has a content-transfer-encoding") }
        self.init(name: name, text: isFile ? nil : [], value: start..<start)
    }
}

/// The value of a header field that has parameters, such as `form-data; name="a"`.
private struct HeaderParameters {
    /// In lower case.
    let word: String
    private var parameters: [(name: String, value: String)] = []

    /// nil if it isn't well formed, or has a parameter twice.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        var index = 0
        /// The text up to a byte or the end, without blanks around it.
        func token(until end: UInt8) -> String {
            let start = index
            while index < bytes.count, bytes[index] != end { index += 1 }
            return String(String(decoding: bytes[start..<index], as: UTF8.self).trimmingBlanks())
        }
        word = token(until: ASCII.semicolon).lowercased()
        while index < bytes.count {
            index += 1
            let start = index
            guard !token(until: ASCII.semicolon).isEmpty else { continue }
            index = start
            let name = token(until: ASCII.equals).lowercased()
            guard index < bytes.count, !name.isEmpty, self[name] == nil else { return nil }
            index += 1
            while index < bytes.count, bytes[index] == ASCII.space || bytes[index] == ASCII.tab { index += 1 }
            if index < bytes.count, bytes[index] == ASCII.quote {
                guard let value = Self.quoted(bytes, &index), token(until: ASCII.semicolon).isEmpty else { return nil }
                parameters.append((name, value))
            } else {
                parameters.append((name, token(until: ASCII.semicolon)))
            }
        }
    }

    subscript(_ name: String) -> String? { parameters.first { $0.name == name }?.value }

    /// A text in quotes, in which a backslash escapes a quote or a backslash. Elsewhere it is itself, as in a Windows
    /// path.
    private static func quoted(_ bytes: [UInt8], _ index: inout Int) -> String? {
        var value: [UInt8] = []
        index += 1
        while index < bytes.count, bytes[index] != ASCII.quote {
            if bytes[index] == ASCII.backslash, index + 1 < bytes.count, [ASCII.quote, ASCII.backslash].contains(bytes[index + 1]) {
                index += 1
            }
            value.append(bytes[index])
            index += 1
        }
        guard index < bytes.count else { return nil }
        index += 1
        return String(decoding: value, as: UTF8.self)
    }
}
