package import ProviderKit
import Synchronization

/// Replaces the secrets of a policy with `<secret>` in texts from outside: messages, codes and log fields.
///
/// It masks every part of a secret that fills eight characters of the text, so that nothing depends on where the text
/// was cut. A secret of fewer than 12 bytes is masked only as a whole. Both hold for encoded secrets too, two encodings
/// deep and with one more level of escapes: base64, hexadecimal, percent-encoding, HTML entities, and the escapes of
/// JSON and of programming languages (``DecodedText``). Escapes of escapes alone may be deeper: JSON that is a text in
/// the JSON of another server's JSON doubles every backslash each time.
///
/// It is made once for a policy, and used only where something fails or where the policy is shown. A text costs about
/// as much as scanning it ten times, however many secrets there are.
package final class SecretMask: Sendable {
    /// The most bytes of a text that are scanned. What follows is cut off.
    package static let maxTextBytes = 16 << 10
    /// How many encodings may lie around each other.
    private static let maxDepth = 3
    /// How many levels of escapes may lie around each other.
    private static let maxEscapes = 6

    private let index: SecretIndex
    /// Secrets that change, such as tokens in files. They are masked as they are at the time.
    private let changing: (@Sendable () -> [Secret])?
    private let tokens = Mutex<(values: [Secret], index: SecretIndex)>(([], SecretIndex([])))

    package convenience init(_ secrets: [Secret]) {
        self.init(secrets, changing: nil)
    }

    package init(_ secrets: [Secret], changing: (@Sendable () -> [Secret])?) {
        index = SecretIndex(secrets.flatMap { Self.parts(of: $0.reveal()) })
        self.changing = changing
    }

    /// What is searched for.
    private var indices: [SecretIndex] {
        guard let values = changing?() else { return index.isEmpty ? [] : [index] }
        let tokenIndex = tokens.withLock { known in
            if known.values != values { known = (values, SecretIndex(values.map { $0.reveal() })) }
            return known.index
        }
        return [index, tokenIndex].filter { !$0.isEmpty }
    }

    /// The secret itself. Of a value of the field `authorization`, such as `Bearer abc`, it is the part after the
    /// scheme, and for `Basic` also the user and the password that the part encodes. Source: RFC 9110, 11.4; RFC 7617,
    /// section 2.
    private static func parts(of secret: String) -> [String] {
        let words = secret.split(separator: " ")
        guard words.count == 2, schemes.contains(words[0].lowercased()) else { return [secret] }
        let credential = String(words[1])
        guard words[0].lowercased() == "basic", let pair = DecodedText(Array(credential.utf8)).decodedBase64.first else {
            return [credential]
        }
        let text = String(decoding: pair.bytes.prefix { $0 != 0 }, as: UTF8.self)
        return [credential, text] + text.split(separator: ":", maxSplits: 1).dropFirst().map(String.init)
    }

    private static let schemes: Set = ["basic", "bearer", "token", "key", "apikey", "api-key"]

    /// The text without the secrets.
    ///
    /// - Parameter maxBytes: the length at which the masked text is cut.
    package func callAsFunction(_ text: String, maxBytes: Int = maxTextBytes) -> String {
        let bytes = Array(text.utf8.prefix(Self.maxTextBytes))
        let hidden = hiddenRanges(of: bytes)
        if hidden.isEmpty, text.utf8.count <= min(maxBytes, Self.maxTextBytes) { return text }
        var masked: [UInt8] = [], end = 0
        for range in hidden {
            masked += bytes[end..<range.lowerBound] + "<secret>".utf8
            end = range.upperBound
        }
        masked += bytes[end...]
        return String(decoding: masked, as: UTF8.self).cut(atByte: maxBytes)
    }

    /// Whether a text shows a secret that is not encoded. It costs little, for texts of requests that succeed.
    package func shows(_ text: String) -> Bool {
        let bytes = Array(text.utf8.prefix(Self.maxTextBytes))
        return indices.contains { $0.isShown(in: bytes) }
    }

    /// Whether a text may show a secret that is not encoded or encoded once: if not, it need not be masked. It costs
    /// more than ``shows(_:)``, and much less than to mask the text.
    package func mayShow(_ text: String) -> Bool {
        let bytes = Array(text.utf8.prefix(Self.maxTextBytes))
        if DecodedText.hasEscapes(bytes) { return true }
        let texts = [bytes] + DecodedText.meaningsOfDigits(in: bytes)
        return indices.contains { index in texts.contains { index.isShown(in: $0) } }
    }

    /// The text without the secrets that ``mayShow(_:)`` finds.
    package func ifShown(_ text: String) -> String { mayShow(text) ? self(text) : text }

    /// The ranges of a text's bytes to replace, in order and apart from each other.
    func hiddenRanges(of bytes: [UInt8]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        for index in indices where bytes.count >= index.leastBytes {
            Self.find(index, in: DecodedText(bytes), depth: Self.maxDepth, &ranges)
            Self.findEscaped(index, in: DecodedText(bytes), &ranges)
        }
        var merged: [Range<Int>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound {
                merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        return merged
    }

    private static func find(_ index: SecretIndex, in text: DecodedText, depth: Int, _ ranges: inout [Range<Int>]) {
        index.find(in: text, &ranges)
        guard depth > 0 else { return }
        for decoded in text.decodings { find(index, in: decoded, depth: depth - 1, &ranges) }
    }

    /// Adds what is escaped more often than `find` looks.
    private static func findEscaped(_ index: SecretIndex, in text: DecodedText, _ ranges: inout [Range<Int>]) {
        var text = text
        for depth in 1...maxEscapes {
            guard let next = text.unescaped else { return }
            text = next
            if depth > maxDepth { index.find(in: text, &ranges) }
        }
    }
}

extension SecretMask {
    /// The longest message of an upstream that is passed on.
    package static let maxMessageBytes = 4 << 10
    /// The longest code, type or parameter of an upstream that is passed on.
    package static let maxWordBytes = 256

    package func callAsFunction(_ error: ProviderError) -> ProviderError {
        var masked = error
        masked.message = self(error.message, maxBytes: Self.maxMessageBytes)
        masked.code = error.code.map { self($0, maxBytes: Self.maxWordBytes) }
        masked.type = error.type.map { self($0, maxBytes: Self.maxWordBytes) }
        masked.param = error.param.map { self($0, maxBytes: Self.maxWordBytes) }
        // A body that is too long to be searched is not passed on.
        masked.body = error.body.flatMap { $0.utf8.count <= Self.maxTextBytes ? self($0) : nil }
        return masked
    }
}

extension String {
    /// The text, or as many of its first characters as fit into `maxBytes` bytes.
    package func cut(atByte maxBytes: Int) -> String {
        guard utf8.count > maxBytes else { return self }
        var end = utf8.index(startIndex, offsetBy: maxBytes)
        while end > startIndex, utf8[end] & 0xC0 == 0x80 { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
