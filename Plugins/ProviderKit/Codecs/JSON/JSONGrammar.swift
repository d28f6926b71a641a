/// The rules of RFC 8259. Each `pass` function moves the offset past the element that it names, or throws.
enum JSONGrammar {
    @inline(__always)
    static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == ASCII.space || byte == ASCII.lineFeed || byte == ASCII.carriageReturn || byte == ASCII.tab
    }

    @inline(__always)
    static func skipWhitespace(_ bytes: RawSpan, _ i: inout Int) {
        while isWhitespace(bytes.byte(i)) { i &+= 1 }
    }

    /// The kind of the value that begins with `byte`.
    @inline(__always)
    static func kind(_ byte: UInt8) -> JSONKind? {
        switch byte {
        case ASCII.quote: .string
        case ASCII.openBrace: .object
        case ASCII.openBracket: .array
        case ASCII.minus, UInt8(ascii: "0")...UInt8(ascii: "9"): .number
        case UInt8(ascii: "t"): .true
        case UInt8(ascii: "f"): .false
        case UInt8(ascii: "n"): .null
        default: nil
        }
    }

    static func tooDeep(_ i: Int) -> JSONError {
        JSONError(offset: i, expected: "at most \(JSONCursor.maxDepth) levels of nesting")
    }

    @inline(__always)
    static func passKey(_ bytes: RawSpan, _ i: inout Int) throws(JSONError) {
        guard bytes.byte(i) == ASCII.quote else { throw JSONError(offset: i, expected: "a key in quotes") }
        try passString(bytes, &i)
    }

    @inline(__always)
    static func passColon(_ bytes: RawSpan, _ i: inout Int) throws(JSONError) {
        skipWhitespace(bytes, &i)
        guard bytes.byte(i) == ASCII.colon else { throw JSONError(offset: i, expected: "':'") }
        i &+= 1
    }

    static func passLiteral(_ bytes: RawSpan, _ i: inout Int, _ kind: JSONKind) throws(JSONError) {
        switch kind {
        case .true where bytes.halfWord(i) == 0x6575_7274: i &+= 4  // "true" in little-endian order
        case .null where bytes.halfWord(i) == 0x6c6c_756e: i &+= 4  // "null"
        case .false where bytes.halfWord(i &+ 1) == 0x6573_6c61: i &+= 5  // "alse"
        default: throw JSONError(offset: i, expected: "a value")
        }
    }

    static func passNumber(_ bytes: RawSpan, _ i: inout Int) throws(JSONError) {
        if bytes.byte(i) == ASCII.minus { i &+= 1 }
        if bytes.byte(i) == UInt8(ascii: "0") {
            i &+= 1
        } else {
            try passDigits(bytes, &i)
        }
        if bytes.byte(i) == ASCII.dot {
            i &+= 1
            try passDigits(bytes, &i)
        }
        if bytes.byte(i) | 0x20 == UInt8(ascii: "e") {
            i &+= 1
            let sign = bytes.byte(i)
            if sign == ASCII.minus || sign == UInt8(ascii: "+") { i &+= 1 }
            try passDigits(bytes, &i)
        }
    }

    @inline(__always)
    private static func passDigits(_ bytes: RawSpan, _ i: inout Int) throws(JSONError) {
        guard ASCII.digit(bytes.byte(i)) != nil else { throw JSONError(offset: i, expected: "a digit") }
        repeat { i &+= 1 } while ASCII.digit(bytes.byte(i)) != nil
    }

    /// Moves from an opening bracket past the bracket that closes it. The open containers are a stack of bits, of
    /// which 1 is an object.
    static func passContainer(_ bytes: RawSpan, _ i: inout Int, isObject: Bool, outerDepth: Int) throws(JSONError) {
        guard outerDepth < JSONCursor.maxDepth else { throw tooDeep(i) }
        i &+= 1
        var inObject = isObject
        var outer: UInt128 = 0
        var depth = outerDepth &+ 1
        var isFresh = true
        while true {
            skipWhitespace(bytes, &i)
            if !(isFresh && bytes.byte(i) == closer(inObject)) {
                if inObject {
                    try passKey(bytes, &i)
                    try passColon(bytes, &i)
                    skipWhitespace(bytes, &i)
                }
                switch kind(bytes.byte(i)) {
                case .string: try passString(bytes, &i)
                case .number: try passNumber(bytes, &i)
                case .some(let opened) where opened == .object || opened == .array:
                    guard depth < JSONCursor.maxDepth else { throw tooDeep(i) }
                    outer = outer << 1 | (inObject ? 1 : 0)
                    depth &+= 1
                    inObject = opened == .object
                    isFresh = true
                    i &+= 1
                    continue
                case .some(let literal): try passLiteral(bytes, &i, literal)
                case nil: throw JSONError(offset: i, expected: "a value")
                }
            }
            skipWhitespace(bytes, &i)
            while bytes.byte(i) == closer(inObject) {
                i &+= 1
                depth &-= 1
                if depth == outerDepth { return }
                inObject = outer & 1 == 1
                outer >>= 1
                skipWhitespace(bytes, &i)
            }
            guard bytes.byte(i) == ASCII.comma else { throw JSONError(offset: i, expected: inObject ? "',' or '}'" : "',' or ']'") }
            i &+= 1
            isFresh = false
        }
    }

    @inline(__always)
    private static func closer(_ inObject: Bool) -> UInt8 {
        inObject ? ASCII.closeBrace : ASCII.closeBracket
    }
}
