import Codecs

extension RawSpan {
    /// The range without the white space around a JSON value.
    var withoutBlanks: Range<Int> {
        var start = 0, end = byteCount
        while start < end, JSON.isBlank(byte(start)) { start += 1 }
        while end > start, JSON.isBlank(byte(end - 1)) { end -= 1 }
        return start..<end
    }

    /// Whether this is the data with which OpenAI ends every stream, which proxies put at the end of other streams too.
    var isDoneMark: Bool {
        let start = withoutBlanks.lowerBound, mark: StaticString = "[DONE]"
        return byteCount - start >= mark.utf8CodeUnitCount && equals(start..<start + mark.utf8CodeUnitCount, mark)
    }
}
