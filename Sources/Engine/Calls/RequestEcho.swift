import Codecs

/// What an upstream's error repeats of the request that caused it.
///
/// Servers show what they couldn't read: `syntax error; last read: 'rate limit exceeded'`, `Function name was no
/// credits but must be a-z`. Such words are the client's and no fact about the model or the account, whatever they say.
/// So the class of an error that would keep other requests away is judged without them.
enum RequestEcho {
    /// Any stretch of so many letters and digits counts as repeated.
    static let minLength = 14
    /// So does a whole string of the request that is shorter, as long as it has two words, or so many letters. Words
    /// such as `model`, `user` and `required`, which are in most requests and in many errors, are shorter.
    static let minWordLength = 9

    /// The error's body in which everything that it repeats of the request is blanked out; nil if there is nothing.
    /// Case, white space, punctuation and escapes don't count.
    static func blanked(_ body: RawSpan, repeating request: RawSpan) -> [UInt8]? {
        var text = EchoText()
        forEachSign(in: body) { text.add($0) }
        text.endString()
        guard !text.places.isEmpty else { return nil }

        var hashes: Set<UInt64> = [], roll = Roll()
        for letter in text.letters { if let hash = roll.add(letter) { hashes.insert(hash) } }
        var repeated: Set<UInt64> = [], echoes: [Range<Int>] = [], string = RequestString()
        roll = Roll()
        forEachSign(in: request) { sign in
            if case .letter(let letter, _) = sign, let hash = roll.add(letter), hashes.contains(hash) { repeated.insert(hash) }
            guard let hash = string.add(sign), let runs = text.runs[hash] else { return }
            echoes += runs
        }
        if let hash = string.add(.end), let runs = text.runs[hash] { echoes += runs }

        roll = Roll()
        for (index, letter) in text.letters.enumerated() {
            if let hash = roll.add(letter), repeated.contains(hash) { echoes.append((index + 1 - minLength)..<(index + 1)) }
        }
        guard !echoes.isEmpty else { return nil }
        var blanked = Array(copying: 0..<body.byteCount, of: body)
        for place in echoes.lazy.flatMap({ text.places[$0] }) { for index in place { blanked[index] = ASCII.space } }
        return blanked
    }

    /// What JSON and texts are made of, as far as repetitions go.
    private enum Sign {
        /// A letter or digit, in lower case, and the bytes that stand for it.
        case letter(UInt32, Range<Int>)
        /// `_` or `-`, which joins words to a name.
        case joint
        /// A blank.
        case blank
        /// Anything else within a string.
        case mark
        /// A quotation mark, escaped or not, or the end of a line.
        case end
    }

    private static func forEachSign(in bytes: RawSpan, _ visit: (Sign) -> Void) {
        var place = 0
        while place < bytes.byteCount {
            let byte = bytes.byte(place)
            var length = 1
            switch byte {
            case ASCII.quote, ASCII.lineFeed, ASCII.carriageReturn: visit(.end)
            case UInt8(ascii: "_"), ASCII.minus: visit(.joint)
            case ASCII.space: visit(.blank)
            case ASCII.backslash:
                length = 2
                let next = place + 1 < bytes.byteCount ? bytes.byte(place + 1) : 0
                if next == UInt8(ascii: "u"), let scalar = hexadecimal(bytes, at: place + 2) {
                    length = 6
                    visit(sign(scalar, place..<(place + 6)))
                } else {
                    visit("\"nr".utf8.contains(next) ? .end : .mark)
                }
            case 0..<0x80: visit(sign(UInt32(byte), place..<(place + 1)))
            default:
                guard let (scalar, end) = decode(bytes, at: place) else {
                    visit(.mark)
                    break
                }
                length = end - place
                visit(sign(scalar, place..<end))
            }
            place += length
        }
    }

    private static func sign(_ scalar: UInt32, _ place: Range<Int>) -> Sign {
        if scalar >= 0x80 { return 0xD800..<0xE000 ~= scalar ? .mark : .letter(scalar, place) }
        let byte = ASCII.lowercased(UInt8(scalar))
        return ASCII.isLetter(byte) || ASCII.isDigit(byte) ? .letter(UInt32(byte), place) : .mark
    }

    private static func hexadecimal(_ bytes: RawSpan, at place: Int) -> UInt32? {
        guard place + 4 <= bytes.byteCount else { return nil }
        var value: UInt32 = 0
        for index in place..<(place + 4) {
            guard let digit = Character(UnicodeScalar(bytes.byte(index))).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    /// A character of two or three bytes in UTF-8, and where it ends; nil for any other.
    private static func decode(_ bytes: RawSpan, at place: Int) -> (UInt32, end: Int)? {
        let first = bytes.byte(place), end = place + (first >= 0xE0 ? 3 : 2)
        guard 0xC2..<0xF0 ~= first, end <= bytes.byteCount else { return nil }
        var scalar = UInt32(first & (first >= 0xE0 ? 0x0F : 0x1F))
        for index in (place + 1)..<end {
            guard bytes.byte(index) & 0xC0 == 0x80 else { return nil }
            scalar = scalar << 6 | UInt32(bytes.byte(index) & 0x3F)
        }
        return (scalar, end)
    }

    /// A string of the request, or a line of one, while it is read.
    private struct RequestString {
        private var hash: UInt64 = 0
        private var letters = 0
        private var words = 0
        private var isInWord = false

        /// The hash of a whole string, at its end; nil before, and for a string that doesn't count.
        mutating func add(_ sign: Sign) -> UInt64? {
            switch sign {
            case .letter(let letter, _):
                if !isInWord || isWordAlone(letter) { words += 1 }
                isInWord = true
                hash = Roll.adding(letter, to: hash)
                letters += 1
            case .joint, .blank, .mark: isInWord = false
            case .end:
                defer { self = Self() }
                return letters < minLength && (words > 1 || letters >= minWordLength) ? hash : nil
            }
            return nil
        }
    }

    /// Whether a character is a word without blanks around it, as in Chinese.
    private static func isWordAlone(_ letter: UInt32) -> Bool { letter >= 0x2E80 }

    /// The letters of an error's body, and its runs of words that may be a whole string of the request.
    private struct EchoText {
        private(set) var letters: [UInt32] = []
        /// The bytes that stand for each letter.
        private(set) var places: [Range<Int>] = []
        /// The letters of each run, by its hash.
        private(set) var runs: [UInt64: [Range<Int>]] = [:]
        /// Where the words of the current string begin, and whether a name may begin there.
        private var words: [(start: Int, isAfterJoint: Bool)] = []
        private var isSentence = false
        private var last = Sign.blank

        mutating func add(_ sign: Sign) {
            defer { last = sign }
            switch sign {
            case .letter(let letter, let place):
                let isAlone = isWordAlone(letter)
                switch last {
                case .letter(let before, _): if isAlone || isWordAlone(before) { words.append((letters.count, false)) }
                case .joint: words.append((letters.count, true))
                case .blank, .mark, .end: words.append((letters.count, false))
                }
                letters.append(letter)
                places.append(place)
                if isAlone { isSentence = true }
            case .blank: isSentence = true
            case .joint, .mark: break
            case .end: endString()
            }
        }

        /// Names of members and codes have no blank, and are the server's own.
        mutating func endString() {
            defer { (words, isSentence) = ([], false) }
            guard isSentence else { return }
            for first in words.indices where !words[first].isAfterJoint {
                var hash: UInt64 = 0, done = words[first].start
                for last in words[first...].indices {
                    let end = last + 1 < words.count ? words[last + 1].start : letters.count
                    guard end - words[first].start < minLength else { break }
                    for letter in letters[done..<end] { hash = Roll.adding(letter, to: hash) }
                    done = end
                    guard last + 1 == words.count || !words[last + 1].isAfterJoint else { continue }
                    runs[hash, default: []].append(words[first].start..<end)
                }
            }
        }
    }

    /// The hashes of all stretches of `minLength` letters, one for each end.
    private struct Roll {
        private static let factor: UInt64 = 0x9E37_79B9_7F4A_7C15
        /// What a letter of the window has been multiplied by when it leaves.
        private static let leaving = (0...minLength).reduce(into: 1 as UInt64) { power, _ in power &*= factor }
        private var window = [UInt32](repeating: 0, count: minLength)
        private var count = 0
        private var hash: UInt64 = 0

        /// The hash of the last letters; nil as long as there are too few.
        mutating func add(_ letter: UInt32) -> UInt64? {
            let place = count % minLength
            hash = Self.adding(letter, to: hash) &- UInt64(window[place]) &* Self.leaving
            window[place] = letter
            count += 1
            return count < minLength ? nil : hash
        }

        static func adding(_ letter: UInt32, to hash: UInt64) -> UInt64 { (hash &+ UInt64(letter)) &* factor }
    }
}
