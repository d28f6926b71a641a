import Codecs

extension RawSpan {
    /// The range without the white space around a JSON value.
    var withoutBlanks: Range<Int> {
        var start = 0, end = byteCount
        while start < end, JSON.isBlank(byte(start)) { start += 1 }
        while end > start, JSON.isBlank(byte(end - 1)) { end -= 1 }
        return start..<end
    }
}
