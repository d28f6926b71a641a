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

    /// The 32 bytes at `offset`; nil if there are fewer.
    @inline(__always)
    func fourWords(_ offset: Int) -> (UInt64, UInt64, UInt64, UInt64)? {
        guard offset >= 0, offset <= byteCount &- 32 else { return nil }
        @inline(__always) func load(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
        }
        return (load(offset), load(offset &+ 8), load(offset &+ 16), load(offset &+ 24))
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
        @inline(__always) func isPlain(at i: Int) -> Bool {
            guard let word = expected.word(i) else { return false }
            let backslashes = word ^ UInt64(every: ASCII.backslash)
            return self.word(offset &+ i) == word && (backslashes &- UInt64(every: 0x01)) & ~backslashes & UInt64(every: 0x80) == 0
        }
        var i = 0
        if text.count >= 8 {
            while i < text.count &- 8 {
                guard isPlain(at: i) else { return false }
                i &+= 8
            }
            return isPlain(at: text.count &- 8)  // may overlap the word before
        }
        while i < text.count {
            let byte = expected.byte(i)
            guard self.byte(offset &+ i) == byte, byte != ASCII.backslash else { return false }
            i &+= 1
        }
        return true
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
    func firstMark(from start: Int, _ marks: (UInt64) -> UInt64) -> Int {
        var i = start
        while let word = word(i) {
            let found = marks(word)
            guard found == 0 else { return i &+ found.trailingZeroBitCount >> 3 }
            i &+= 8
            guard i &- start >= 32 else { continue }
            while let (a, b, c, d) = fourWords(i), marks(a) | marks(b) | marks(c) | marks(d) == 0 { i &+= 32 }
        }
        return i
    }

    /// The offset of the first LF or CR at or after `start`.
    func firstLineEnd(from start: Int) -> Int? {
        var i = start
        while i < byteCount {
            // Marks the bytes below 0x0e. A borrow can only mark bytes after a true mark.
            i = firstMark(from: i) { ($0 &- UInt64(every: 0x0e)) & ~$0 & UInt64(every: 0x80) }
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
        let pattern = UInt64(every: value)
        var i = 0
        while i < range.count {
            i = inside.firstMark(from: i) { (($0 ^ pattern) &- UInt64(every: 0x01)) & ~($0 ^ pattern) & UInt64(every: 0x80) }
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

extension UInt64 {
    @inline(__always)
    init(every byte: UInt8) {
        self = UInt64(byte) &* 0x0101_0101_0101_0101
    }
}
