/// Tokens from bytes, where nobody told them: four bytes a token, as OpenAI's rule of thumb says for English. Rough: other scripts take more bytes for a token, and
/// the framing of messages and chunks is counted too. Whatever is counted so is marked `estimated`.
enum TokenEstimate {
    static func tokens(ofBytes bytes: Int) -> Int {
        (bytes + 3) / 4
    }
}
