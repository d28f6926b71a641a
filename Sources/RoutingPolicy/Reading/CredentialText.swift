/// Finds text that has the form of a provider's API key, because a mistake can put such a key anywhere in a file.
enum CredentialText {
    /// The prefixes of OpenAI (and of the many services that imitate it), Groq, xAI, Google, Hugging Face, Perplexity,
    /// NVIDIA and Replicate. Source: each provider's documentation of its keys.
    private static let prefixes = ["sk-", "sk_", "gsk_", "xai-", "AIza", "hf_", "pplx-", "nvapi-", "r8_"].map { Array($0.unicodeScalars) }
    private static let minLength = 12

    static func ranges(in text: [Unicode.Scalar]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        while start < text.count {
            let end = text[start...].firstIndex { !isWord($0) } ?? text.count
            if end - start >= minLength, prefixes.contains(where: { text[start..<end].starts(with: $0) }) { ranges.append(start..<end) }
            start = end + 1
        }
        return ranges
    }

    static func masked(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        var result = ""
        var start = 0
        for range in ranges(in: scalars) {
            result.unicodeScalars.append(contentsOf: scalars[start..<range.lowerBound])
            result += "<secret>"
            start = range.upperBound
        }
        result.unicodeScalars.append(contentsOf: scalars[start...])
        return result
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_": true
        default: false
        }
    }
}
