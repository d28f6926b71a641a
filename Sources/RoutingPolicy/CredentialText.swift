/// Text that has the form of a provider's key. A mistake can put one anywhere in a file; by its form it is known wherever it stands.
enum CredentialText {
    /// OpenAI and those who follow it, Groq, xAI, Google, Hugging Face, Perplexity, NVIDIA, Replicate. Source: the providers' documentation of their keys.
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
        var shown = ""
        var start = 0
        for range in ranges(in: scalars) {
            shown.unicodeScalars.append(contentsOf: scalars[start..<range.lowerBound])
            shown += "<secret>"
            start = range.upperBound
        }
        shown.unicodeScalars.append(contentsOf: scalars[start...])
        return shown
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_": true
        default: false
        }
    }
}
