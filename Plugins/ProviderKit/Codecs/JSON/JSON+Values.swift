extension JSON {
    /// The text of a scanned string, with its escapes decoded. A lone surrogate becomes U+FFFD.
    public static func string(_ literal: Range<Int>, in bytes: RawSpan) -> String {
        let content = JSONContent(of: literal, in: bytes).range
        guard bytes.firstIndex(of: ASCII.backslash, in: content) == nil else {
            return String(decoding: decodedBytes(literal, in: bytes), as: UTF8.self)
        }
        return bytes.extracting(content).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether a scanned value is null, or an empty text, list or object. Clients write these for what they don't set.
    public static func isEmpty(_ value: JSONValue, in bytes: RawSpan) -> Bool {
        switch value.kind {
        case .null: true
        case .string: value.range.count <= 2
        case .array, .object: value.range.dropFirst().dropLast().allSatisfy { JSON.isBlank(bytes.byte($0)) }
        case .number, .true, .false: false
        }
    }

    /// The text of a scanned string as UTF-8, with its escapes decoded. A lone surrogate becomes U+FFFD.
    public static func decodedBytes(_ literal: Range<Int>, in bytes: RawSpan) -> [UInt8] {
        var content = JSONContent(of: literal, in: bytes)
        var decoded: [UInt8] = []
        decoded.reserveCapacity(literal.count)
        while let part = content.next(bytes) {
            switch part {
            case .plain(let range): decoded.append(range, of: bytes)
            case .escaped(let scalar): decoded.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
        return decoded
    }

    /// The number of bytes that ``decodedBytes(_:in:)`` would return for a scanned string. Nothing is allocated.
    public static func contentLength(_ literal: Range<Int>, in bytes: RawSpan) -> Int {
        var content = JSONContent(of: literal, in: bytes)
        var length = 0
        while let part = content.next(bytes) {
            switch part {
            case .plain(let range): length &+= range.count
            case .escaped(let scalar): length &+= UTF8.width(scalar)
            }
        }
        return length
    }

    /// The value of a scanned number as an integer, in whatever notation: `1000`, `1e3` and `1000.0` are equal.
    /// nil if the value is not a number, has a fraction or doesn't fit.
    public static func integer(_ value: JSONValue, in bytes: RawSpan) -> Int? {
        guard value.kind == .number else { return nil }
        return digits(value.range, in: bytes) ?? decimal(value.range, in: bytes)
    }

    /// The number that consists of a few digits and nothing else, as most do; nil for any other.
    @inline(__always)
    private static func digits(_ range: Range<Int>, in bytes: RawSpan) -> Int? {
        guard 1...18 ~= range.count else { return nil }
        var number = 0
        for i in range {
            guard let digit = ASCII.digit(bytes.byte(i)) else { return nil }
            number = number &* 10 &+ Int(digit)
        }
        return number
    }

    private static func decimal(_ range: Range<Int>, in bytes: RawSpan) -> Int? {
        let end = min(range.upperBound, bytes.byteCount)
        var i = range.lowerBound
        let isNegative = bytes.byte(i) == ASCII.minus
        if isNegative { i &+= 1 }

        // The value is magnitude × 10^exponent. The magnitude doesn't include the zeros at its end.
        var magnitude: UInt = 0
        var exponent = 0
        var zeros = 0
        var isFraction = false
        while i < end, bytes.byte(i) | 0x20 != UInt8(ascii: "e") {
            defer { i &+= 1 }
            guard let digit = ASCII.digit(bytes.byte(i)) else {
                isFraction = true
                continue
            }
            if isFraction { exponent &-= 1 }
            if digit == 0 {
                zeros &+= 1
            } else {
                guard let shifted = magnitude.shifted(byDigits: zeros &+ 1), !shifted.addingReportingOverflow(UInt(digit)).overflow else {
                    return nil
                }
                magnitude = shifted &+ UInt(digit)
                zeros = 0
            }
        }
        guard magnitude != 0 else { return 0 }
        exponent &+= zeros &+ self.exponent((i &+ 1)..<max(i &+ 1, end), in: bytes)
        guard exponent >= 0, let result = magnitude.shifted(byDigits: exponent) else { return nil }
        return isNegative ? Int(exactly: -Int128(result)) : Int(exactly: result)
    }

    /// The value of a scanned number, rounded as IEEE 754 specifies; nil if the value is not a number or exceeds the
    /// range of a Double.
    public static func double(_ value: JSONValue, in bytes: RawSpan) -> Double? {
        guard value.kind == .number else { return nil }
        let text = bytes.extracting(value.range.clamped(to: 0..<bytes.byteCount)).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        guard let double = Double(text), double.isFinite else { return nil }
        return double
    }

    /// The exponent of a number, from the digits after its `e`. It is limited to ±2^40, which is more than the number
    /// of digits that any text can have.
    private static func exponent(_ range: Range<Int>, in bytes: RawSpan) -> Int {
        var exponent = 0
        for i in range {
            guard let digit = ASCII.digit(bytes.byte(i)) else { continue }
            exponent = min(exponent &* 10 &+ Int(digit), 1 << 40)
        }
        return bytes.byte(range.lowerBound) == ASCII.minus ? -exponent : exponent
    }
}

extension UInt {
    /// This number times ten to the power of `digits`; nil if the result doesn't fit.
    fileprivate func shifted(byDigits digits: Int) -> UInt? {
        guard self != 0 else { return 0 }
        var result = self
        for _ in 0..<digits {
            let (product, overflow) = result.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            result = product
        }
        return result
    }
}
