import Codecs
import NIOCore

/// The JSON in the text of a model, which may have a code fence around it.
enum FencedJSON {
    /// The range of the JSON value; nil if the text is neither JSON nor JSON in one fence.
    ///
    /// A fence is a line of three or more backticks or tildes, with a word such as `json` behind it at the beginning.
    /// Models also write it on the line of the value. Source: CommonMark, "Fenced code blocks".
    static func range(in text: [UInt8]) -> Range<Int>? {
        // A byte order mark may precede it.
        let whole = trimmed((text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)..<text.count, text)
        if isJSON(whole, text) { return whole }
        guard let mark = whole.first.map({ text[$0] }), mark == UInt8(ascii: "`") || mark == UInt8(ascii: "~") else { return nil }
        let opening = whole.prefix { text[$0] == mark }.count, closing = whole.reversed().prefix { text[$0] == mark }.count
        guard opening >= 3, closing >= opening, opening + closing < whole.count else { return nil }
        let inside = trimmed(whole.lowerBound + opening..<whole.upperBound - closing, text)
        let word = inside.prefix { isWordByte(text[$0]) }.count
        let candidates = [trimmed(inside.lowerBound + word..<inside.upperBound, text), inside]
        return candidates.first { isJSON($0, text) }
    }

    /// Whether the strings at these ranges of an object are all JSON.
    static func areJSON(_ texts: [Range<Int>], in object: RawSpan) -> Bool {
        texts.allSatisfy { range(in: JSON.decodedBytes($0, in: object)) != nil }
    }

    /// The object without the code fences around the JSON in the strings at these ranges, which are in order.
    static func withoutFences(_ object: ByteBuffer, texts: [Range<Int>]) -> ByteBuffer {
        let span = object.readableBytesSpan
        var result = ByteBuffer(), end = 0
        func copy(_ range: Range<Int>) {
            if let slice = object.getSlice(at: object.readerIndex + range.lowerBound, length: range.count) {
                result.writeImmutableBuffer(slice)
            }
        }
        for literal in texts {
            let text = JSON.decodedBytes(literal, in: span)
            guard let range = range(in: text), range.count < text.count else { continue }
            copy(end..<literal.lowerBound)
            var writer = JSONWriter(capacity: range.count + 16)
            writer.string(String(decoding: text[range], as: UTF8.self))
            result.writeBytes(writer.bytes)
            end = literal.upperBound
        }
        if end == 0 { return object }
        copy(end..<span.byteCount)
        return result
    }

    private static func isJSON(_ range: Range<Int>, _ text: [UInt8]) -> Bool {
        (try? JSON.validate(text.span.bytes.extracting(range))) != nil
    }

    private static func trimmed(_ range: Range<Int>, _ text: [UInt8]) -> Range<Int> {
        let start = range.first { !isBlank(text[$0]) } ?? range.upperBound
        let end = (start..<range.upperBound).last { !isBlank(text[$0]) }.map { $0 + 1 } ?? start
        return start..<end
    }

    private static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || "+-._".utf8.contains(byte)
    }
}
