/// The parts of a `multipart/form-data` body, as ranges of the body. Sources: RFC 7578; RFC 2046, section 5.1.1.
public struct MultipartForm: Sendable, Equatable {
    /// One field of the form.
    public struct Part: Sendable, Equatable {
        /// The field's name.
        public var name: String
        /// Whether the part is a file.
        public var isFile: Bool
        /// The range of its value.
        public var value: Range<Int>
    }

    /// The fields, in the order of the body. A name may occur several times.
    public let parts: [Part]
    /// The `content-type` of the body, with its boundary.
    public let contentType: String
    /// The offset of the closing delimiter, before which more parts can be inserted.
    public let end: Int
    /// The text between two parts, without line ends around it.
    public let delimiter: [UInt8]

    /// The most fields of a form.
    public static let maxParts = 256

    /// Reads a body; nil if it is not a complete form with a field in each part.
    ///
    /// - Parameters:
    ///   - body: the complete body.
    ///   - contentType: the value of `content-type`.
    public init?(_ body: RawSpan, contentType: String) {
        guard let boundary = Self.boundary(in: contentType) else { return nil }
        let delimiter = Array("--".utf8) + boundary
        var parts: [Part] = []
        // The first delimiter may stand at the very beginning, without a line end before it.
        guard var place = body.firstIndex(ofDelimiter: delimiter, from: 0) else { return nil }
        while true {
            let afterDelimiter = place + delimiter.count
            if body.has(Array("--".utf8), at: afterDelimiter) { break }
            guard let head = body.lineEnd(from: afterDelimiter), parts.count < Self.maxParts else { return nil }
            guard let (fields, start) = Self.head(body, from: head),
                let next = body.firstIndex(ofDelimiter: delimiter, from: start), let part = Self.part(fields, start..<max(start, next - 2))
            else { return nil }
            parts.append(part)
            place = next
        }
        self.parts = parts
        self.contentType = contentType
        self.delimiter = delimiter
        end = place
    }

    /// The `boundary` of a content type; nil if it is not a form's.
    private static func boundary(in contentType: String) -> [UInt8]? {
        let pieces = contentType.split(separator: ";").map { String($0.trimmingBlanks()) }
        guard pieces.first?.lowercased() == "multipart/form-data" else { return nil }
        for piece in pieces.dropFirst() where piece.lowercased().utf8.starts(with: "boundary=".utf8) {
            let boundary = Substring(piece.utf8.dropFirst("boundary=".utf8.count)).unquoted
            return (1...70).contains(boundary.utf8.count) ? Array(boundary.utf8) : nil
        }
        return nil
    }

    /// The header fields of a part, and where its value begins.
    private static func head(_ body: RawSpan, from start: Int) -> (fields: [(name: String, value: String)], end: Int)? {
        var fields: [(String, String)] = []
        var place = start
        while let end = body.lineEnd(from: place) {
            let line = body.text(place..<max(place, end - 2))
            place = end
            if line.isEmpty { return (fields, end) }
            guard let colon = line.utf8.firstIndex(of: ASCII.colon), fields.count < 16 else { return nil }
            fields.append((line[..<colon].lowercased(), String(line[line.utf8.index(after: colon)...].trimmingBlanks())))
        }
        return nil
    }

    private static func part(_ fields: [(name: String, value: String)], _ value: Range<Int>) -> Part? {
        guard let disposition = fields.first(where: { $0.name == "content-disposition" })?.value else { return nil }
        var name: String?, isFile = false
        for parameter in disposition.split(separator: ";").dropFirst() {
            let text = String(parameter.trimmingBlanks())
            if text.lowercased().utf8.starts(with: "name=".utf8) { name = Substring(text.utf8.dropFirst("name=".utf8.count)).unquoted }
            if text.lowercased().utf8.starts(with: "filename".utf8) { isFile = true }
        }
        return name.map { Part(name: $0, isFile: isFile, value: value) }
    }
}

extension RawSpan {
    /// The offset of a delimiter that begins a line, from `start` on.
    fileprivate func firstIndex(ofDelimiter delimiter: [UInt8], from start: Int) -> Int? {
        var place = start
        while let found = firstIndex(of: UInt8(ascii: "-"), in: min(place, byteCount)..<byteCount) {
            let beginsLine = found == 0 || (found >= 2 && byte(found - 2) == ASCII.carriageReturn && byte(found - 1) == ASCII.lineFeed)
            if beginsLine, has(delimiter, at: found) { return found }
            place = found + 1
        }
        return nil
    }

    /// The offset after the next CR LF.
    fileprivate func lineEnd(from start: Int) -> Int? {
        var place = start
        while let found = firstIndex(of: ASCII.lineFeed, in: min(place, byteCount)..<byteCount) {
            if found > start, byte(found - 1) == ASCII.carriageReturn { return found + 1 }
            place = found + 1
        }
        return nil
    }

    fileprivate func has(_ bytes: [UInt8], at offset: Int) -> Bool {
        guard offset >= 0, bytes.count <= byteCount - offset else { return false }
        return bytes.indices.allSatisfy { byte(offset + $0) == bytes[$0] }
    }

    fileprivate func text(_ range: Range<Int>) -> String {
        extracting(range).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
}

extension Substring {
    fileprivate var unquoted: String {
        guard utf8.count >= 2, utf8.first == ASCII.quote, utf8.last == ASCII.quote else { return String(self) }
        return String(Substring(utf8.dropFirst().dropLast()))
    }
}
