/// A text, or what a decoder made of it, and for each byte its place in the original text.
struct DecodedText {
    private(set) var bytes: [UInt8]
    /// The places in the original text. They are in order, and those of neighbours may overlap: in base64, two bytes
    /// share a digit.
    private var places: [Place]
    /// How many bytes of a secret count as a match at least. Digits are a part of many texts by chance, escapes hardly.
    private(set) var minMatch: Int

    private struct Place {
        var start: Int32
        var end: Int32
    }

    /// The original text.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        places = bytes.indices.map { Place(start: Int32(clamping: $0), end: Int32(clamping: $0 + 1)) }
        minMatch = 2
    }

    /// An empty text for what a decoder makes of another one.
    ///
    /// - Parameter isFromDigits: whether the decoder reads base64 or hexadecimal digits.
    init(decoding text: DecodedText, isFromDigits: Bool) {
        (bytes, places) = ([], [])
        minMatch = isFromDigits ? 3 : text.minMatch
    }

    var count: Int { bytes.count }

    /// The range of the original text that these bytes come from. It must not be empty.
    func source(of range: Range<Int>) -> Range<Int> {
        let start = Int(places[range.lowerBound].start), end = Int(places[range.upperBound - 1].end)
        return start..<max(start, end)
    }

    /// Adds a byte that `text` has in encoded form at `range`.
    mutating func append(_ byte: UInt8, from range: Range<Int>, of text: DecodedText) {
        bytes.append(byte)
        places.append(Place(start: text.places[range.lowerBound].start, end: text.places[range.upperBound - 1].end))
    }

    /// Counts what `text` has before `end` to the last byte: the rest of a digit or of an escape that was cut off.
    mutating func extendLast(to end: Int, of text: DecodedText) {
        if !places.isEmpty, end > 0 { places[places.count - 1].end = text.places[end - 1].end }
    }

    /// Adds a byte that is in no secret, between parts that are apart in the text.
    mutating func separate(at index: Int, of text: DecodedText) {
        append(0, from: index..<(index + 1), of: text)
    }

    /// What the text is in each encoding that occurs in it.
    var decodings: [DecodedText] {
        (unescaped.map { [$0] } ?? []) + decodedBase64 + decodedHex
    }
}
