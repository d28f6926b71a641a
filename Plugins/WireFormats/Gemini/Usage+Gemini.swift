import Codecs
import ProviderKit

extension Usage {
    /// Reads `usageMetadata`, whose numbers count everything until then. nil if it has none.
    ///
    /// The prompt's tokens include cached ones, and the candidates' exclude those of thoughts. Source: the Gemini API
    /// reference, `UsageMetadata`. Where the candidates include them, prompt and candidates alone are the total.
    /// [litellm, vertex_and_google_ai_studio_gemini.py, `is_candidate_token_count_inclusive`]
    init?(gemini object: JSONTree) {
        /// A negative number, and one that no response has, count as unknown.
        func count(_ value: JSONTree?) -> Int? { value?.integer.flatMap { (0...1_000_000_000_000).contains($0) ? $0 : nil } }
        let candidates = count(object["candidatesTokenCount"]), thoughts = count(object["thoughtsTokenCount"])
        let prompt = count(object["promptTokenCount"]).map { $0 + (count(object["toolUsePromptTokenCount"]) ?? 0) }
        let total = count(object["totalTokenCount"])
        let areInside = (thoughts ?? 0) <= (candidates ?? 0) && total == (prompt ?? 0) + (candidates ?? 0)
        self.init(
            promptTokens: prompt,
            completionTokens: candidates == nil && thoughts == nil ? nil : (candidates ?? 0) + (areInside ? 0 : thoughts ?? 0),
            cachedTokens: count(object["cachedContentTokenCount"]), reasoningTokens: thoughts)
        /// The tokens of audio in a list of tokens by kind; nil if it has none.
        func audio(_ details: JSONTree?) -> Int? {
            count(details?.elements?.first { $0["modality"]?.string == "AUDIO" }?["tokenCount"])
        }
        audioTokens = audio(object["promptTokensDetails"])
        if let ofTools = audio(object["toolUsePromptTokensDetails"]) { audioTokens = (audioTokens ?? 0) + ofTools }
        audioOutputTokens = audio(object["candidatesTokensDetails"])
        reconcile(total: total, orWithout: thoughts, count(object["toolUsePromptTokenCount"]))
        if self == Usage() { return nil }
    }

    /// Writes the value of `usageMetadata`. Numbers that are unknown are written as 0.
    func writeGemini(to writer: inout JSONWriter) {
        let prompt = promptTokens ?? 0, completion = completionTokens ?? 0, thoughts = min(reasoningTokens ?? 0, completion)
        writer.object {
            $0.member("promptTokenCount", prompt)
            if let cachedTokens { $0.member("cachedContentTokenCount", cachedTokens) }
            $0.member("candidatesTokenCount", max(0, completion.subtractingReportingOverflow(thoughts).partialValue))
            if reasoningTokens != nil { $0.member("thoughtsTokenCount", thoughts) }
            $0.member("totalTokenCount", prompt.addingReportingOverflow(completion).partialValue)
        }
    }
}
