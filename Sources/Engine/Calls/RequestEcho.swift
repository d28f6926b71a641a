import Codecs

/// What an upstream's error repeats of the request that caused it.
///
/// Servers show what they couldn't read: `syntax error; last read: 'rate limit exceeded'`. Such words are the client's
/// and no fact about the model or the account, whatever they say. So the class of an error that would keep other
/// requests away is judged without them.
enum RequestEcho {
    /// A stretch counts as repeated from so many letters and digits on. Shorter ones are names and common words.
    static let minLength = 14

    /// The error's body in which every stretch that occurs in the request is blanked out; nil if there is none. Case,
    /// white space, punctuation and escapes don't count.
    static func blanked(_ body: RawSpan, repeating request: RawSpan) -> [UInt8]? {
        var hashes: Set<UInt64> = [], roll = Roll()
        forEachLetter(in: body) { _, letter in if let hash = roll.add(letter) { hashes.insert(hash) } }
        guard !hashes.isEmpty else { return nil }
        var repeated: Set<UInt64> = []
        roll = Roll()
        forEachLetter(in: request) { _, letter in
            if let hash = roll.add(letter), hashes.contains(hash) { repeated.insert(hash) }
        }
        guard !repeated.isEmpty else { return nil }

        var blanked = Array(copying: 0..<body.byteCount, of: body), places: [Int] = [], done = 0
        roll = Roll()
        forEachLetter(in: body) { place, letter in
            places.append(place)
            guard let hash = roll.add(letter), repeated.contains(hash) else { return }
            for index in max(done, places.count - minLength)..<places.count { blanked[places[index]] = ASCII.space }
            done = places.count
        }
        return blanked
    }

    /// Calls `visit` for each letter and digit, in lower case. Escapes of JSON are passed over, so that a blanked body
    /// stays readable.
    private static func forEachLetter(in bytes: RawSpan, _ visit: (_ place: Int, _ letter: UInt8) -> Void) {
        var place = 0
        while place < bytes.byteCount {
            let byte = bytes.byte(place)
            if byte == ASCII.backslash {
                place += place + 1 < bytes.byteCount && bytes.byte(place + 1) == UInt8(ascii: "u") ? 6 : 2
                continue
            }
            if ASCII.isLetter(byte) || ASCII.isDigit(byte) { visit(place, ASCII.lowercased(byte)) }
            place += 1
        }
    }

    /// The hashes of all stretches of `minLength` letters, one for each end.
    private struct Roll {
        private static let factor: UInt64 = 0x9E37_79B9_7F4A_7C15
        /// What a letter of the window has been multiplied by when it leaves.
        private static let leaving = (0...minLength).reduce(into: 1 as UInt64) { power, _ in power &*= factor }
        private var window = [UInt8](repeating: 0, count: minLength)
        private var count = 0
        private var hash: UInt64 = 0

        /// The hash of the last letters; nil as long as there are too few.
        mutating func add(_ letter: UInt8) -> UInt64? {
            let place = count % minLength
            hash = (hash &+ UInt64(letter)) &* Self.factor &- UInt64(window[place]) &* Self.leaving
            window[place] = letter
            count += 1
            return count < minLength ? nil : hash
        }
    }
}
