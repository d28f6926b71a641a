extension JSON {
    /// Merges two values deeply: the members of two objects, at each level, and in place of any other pair one of the
    /// two values. A null inside a preferred object removes the other's member. Source: RFC 7396, 2.
    ///
    /// Values that only one side has are copied as they are. The members of `value` come first, in their order.
    ///
    /// - Parameters:
    ///   - value: one valid JSON value.
    ///   - other: one valid JSON value. If it is an object, no key may occur twice in it.
    ///   - isOtherPreferred: which side wins. If it is `other`, a key that occurs twice in `value` is written once.
    public static func merged(_ value: RawSpan, with other: RawSpan, isOtherPreferred: Bool) -> [UInt8] {
        var writer = JSONWriter(capacity: value.byteCount + other.byteCount)
        merge(value, other, isOtherPreferred, &writer)
        return writer.bytes
    }

    /// As deep as `other`, at most.
    private static func merge(_ value: RawSpan, _ other: RawSpan, _ isOtherPreferred: Bool, _ writer: inout JSONWriter) {
        let additions = try? self.members(of: other)
        guard let additions, let members = (try? members(of: value)) ?? (isOtherPreferred ? [] : nil) else {
            return isOtherPreferred ? writer.raw(0..<other.byteCount, of: other) : writer.raw(0..<value.byteCount, of: value)
        }
        let names = additions.map { string($0.key, in: other) }
        var isWritten = additions.map { _ in false }
        writer.beginObject()
        for member in members {
            let name = string(member.key, in: value)
            guard let index = names.firstIndex(of: name) else {
                writer.key(escaping: name)
                writer.raw(member.value.range, of: value)
                continue
            }
            if isWritten[index], isOtherPreferred { continue }
            isWritten[index] = true
            if isOtherPreferred, additions[index].value.kind == .null { continue }
            writer.key(escaping: name)
            merge(value.extracting(member.value.range), other.extracting(additions[index].value.range), isOtherPreferred, &writer)
        }
        for index in additions.indices where !isWritten[index] {
            let addition = additions[index].value
            if isOtherPreferred, addition.kind == .null { continue }
            writer.key(escaping: names[index])
            if isOtherPreferred {
                merge(value.extracting(0..<0), other.extracting(addition.range), isOtherPreferred, &writer)
            } else {
                writer.raw(addition.range, of: other)
            }
        }
        writer.endObject()
    }
}
