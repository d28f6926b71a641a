/// Checked access to bytes for decoders. None of these functions traps, whatever the offset is.
extension RawSpan {
    /// The byte at `offset`; 0 if the offset is outside the bytes. A 0 is not part of any grammar here, so it ends
    /// every scan.
    @inlinable @inline(__always)
    public func byte(_ offset: Int) -> UInt8 {
        guard UInt(bitPattern: offset) < UInt(bitPattern: byteCount) else { return 0 }
        return unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    /// The eight bytes at `offset`, the first in the lowest bits; nil if there are fewer.
    @inline(__always)
    func word(_ offset: Int) -> UInt64? {
        guard offset >= 0, offset <= byteCount &- 8 else { return nil }
        return UInt64(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }

    /// The 16 bytes at `offset`, as two words; nil if there are fewer.
    @inline(__always)
    func twoWords(_ offset: Int) -> SIMD2<UInt64>? {
        guard offset >= 0, offset <= byteCount &- 16 else { return nil }
        return twoWords(unchecked: offset)
    }

    @inline(__always)
    private func twoWords(unchecked offset: Int) -> SIMD2<UInt64> {
        let words = unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: SIMD2<UInt64>.self)
        return SIMD2(UInt64(littleEndian: words[0]), UInt64(littleEndian: words[1]))
    }

    /// The four bytes at `offset`, the first in the lowest bits. Missing bytes are 0.
    @inline(__always)
    func halfWord(_ offset: Int) -> UInt32 {
        guard offset >= 0, offset <= byteCount &- 4 else {
            return (0..<4).reduce(0) { $0 | UInt32(byte(offset &+ $1)) << UInt32(8 &* $1) }
        }
        return UInt32(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
    }

    /// Whether the bytes at `offset` are those of `text`, and contain no backslash.
    func hasPlain(_ text: UnsafeBufferPointer<UInt8>, at offset: Int) -> Bool {
        guard offset >= 0, offset <= byteCount &- text.count else { return false }
        let expected = text.span.bytes
        @inline(__always) func isPlain<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(_: Word.Type, at i: Int) -> Bool {
            let word = expected.unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: Word.self)
            let backslashes = word ^ Word(every: ASCII.backslash)
            return word == unsafeLoadUnaligned(fromUncheckedByteOffset: offset &+ i, as: Word.self)
                && (backslashes &- Word(every: 0x01)) & ~backslashes & Word(every: 0x80) == 0
        }
        // The last word may overlap the one before.
        switch text.count {
        case 8...:
            let last = text.count &- 8
            var i = 0
            while isPlain(UInt64.self, at: i) {
                if i == last { return true }
                i = min(i &+ 8, last)
            }
            return false
        case 4...: return isPlain(UInt32.self, at: 0) && isPlain(UInt32.self, at: text.count &- 4)
        case 2...: return isPlain(UInt16.self, at: 0) && isPlain(UInt16.self, at: text.count &- 2)
        case 1: return isPlain(UInt8.self, at: 0)
        default: return true
        }
    }

    /// Whether the stream that begins with these bytes has a byte order mark (EF BB BF).
    var byteOrderMark: ByteOrderMark {
        let start = halfWord(0) & 0xff_ffff
        if start == 0xbf_bbef { return .present }
        return byteCount < 3 && start == 0xbf_bbef & (1 << UInt32(8 &* byteCount) &- 1) ? .undecided : .absent
    }

    /// The offset of the first byte at or after `start` for which `marks` sets the byte's top bit in a word of eight
    /// bytes. Only the lowest mark of a word needs to be right. If no byte is marked, an offset in the last seven bytes
    /// or at the end is returned, and the caller examines the bytes from there on.
    @inline(__always)
    func firstMark(from start: Int, _ marks: (SIMD2<UInt64>) -> SIMD2<UInt64>) -> Int {
        var i = start
        while let words = twoWords(i) {
            let found = marks(words)
            if found[0] != 0 { return i &+ found[0].trailingZeroBitCount >> 3 }
            if found[1] != 0 { return i &+ 8 &+ found[1].trailingZeroBitCount >> 3 }
            i &+= 16
            guard i &- start >= 32 else { continue }
            while i <= byteCount &- 64 {
                let first = marks(twoWords(unchecked: i)) | marks(twoWords(unchecked: i &+ 16))
                let second = marks(twoWords(unchecked: i &+ 32)) | marks(twoWords(unchecked: i &+ 48))
                let found = first | second
                guard found[0] | found[1] == 0 else { break }
                i &+= 64
            }
        }
        guard let word = word(i) else { return i }
        let found = marks(SIMD2(word, word))[0]
        return i &+ (found == 0 ? 8 : found.trailingZeroBitCount >> 3)
    }

    /// The offset of the first LF or CR at or after `start`.
    func firstLineEnd(from start: Int) -> Int? {
        var i = start
        while i < byteCount {
            // Marks the bytes below 0x0e. A borrow can only mark bytes after a true mark.
            i = firstMark(from: i) { ($0 &- SIMD2(every: 0x0e)) & ~$0 & SIMD2(every: 0x80) }
            let byte = byte(i)
            if byte == ASCII.lineFeed || byte == ASCII.carriageReturn { return i }
            i &+= 1
        }
        return nil
    }

    /// The offset of the first byte with this value in a range; nil if there is none. Offsets outside the bytes are
    /// ignored.
    public func firstIndex(of value: UInt8, in range: Range<Int>) -> Int? {
        let range = range.clamped(to: 0..<byteCount)
        let inside = extracting(range)
        let pattern = SIMD2(every: value)
        var i = 0
        while i < range.count {
            i = inside.firstMark(from: i) { (($0 ^ pattern) &- SIMD2(every: 0x01)) & ~($0 ^ pattern) & SIMD2(every: 0x80) }
            if i < range.count, inside.byte(i) == value { return range.lowerBound &+ i }
            i &+= 1
        }
        return nil
    }

    /// Whether the bytes of `range` are those of `text`, in UTF-8.
    public func equals(_ range: Range<Int>, _ text: StaticString) -> Bool {
        text.withUTF8Buffer { text in
            guard range.count == text.count else { return false }
            for (i, expected) in text.enumerated() where byte(range.lowerBound &+ i) != expected { return false }
            return true
        }
    }
}

enum ByteOrderMark {
    case present, absent, undecided
}

extension Array<UInt8> {
    /// Creates an array of the bytes in a range, which is clamped to the existing bytes.
    public init(copying range: Range<Int>, of bytes: RawSpan) {
        self = []
        append(range, of: bytes)
    }

    /// Appends the bytes in a range, which is clamped to the existing bytes.
    public mutating func append(_ range: Range<Int>, of bytes: RawSpan) {
        bytes.extracting(range.clamped(to: 0..<bytes.byteCount)).withUnsafeBytes { append(contentsOf: $0) }
    }
}

extension FixedWidthInteger where Self: UnsignedInteger {
    /// The number of which every byte is `byte`.
    @inline(__always)
    init(every byte: UInt8) {
        self = Self.max / 0xff &* Self(truncatingIfNeeded: byte)
    }
}

extension SIMD2<UInt64> {
    /// Two words of which every byte is `byte`.
    @inline(__always)
    init(every byte: UInt8) {
        self.init(repeating: UInt64(every: byte))
    }
}
