import Codecs

extension ErrorBody {
    /// The class of a failure with this body: what the words say is at fault, and the status only if they say nothing.
    ///
    /// - Parameter status: the status of the response. nil for an error inside a successful response: then the code
    ///   counts if it is a status.
    public func failureClass(status: Int?) -> FailureClass {
        let status = status ?? self.status
        if let known = known(status) { return known }
        if let status { return ProviderKit.failureClass(ofStatus: status) }
        return type == "invalid_request_error" ? .clientError : .upstreamError
    }

    /// The class of a failure whose body is plain text.
    static func failureClass(ofText text: String, status: Int) -> FailureClass? {
        ErrorWords(codes: [], texts: [text], status: status).failureClass
    }

    private func known(_ status: Int?) -> FailureClass? {
        if isFlagged { return .contentFilter }
        let codes = [code, type].compactMap { $0 } + furtherCodes
        // OpenAI sends this for any text. For a message it is about the context, for `user` it is the client's mistake.
        // [litellm, exception_mapping_utils.py]
        if codes.contains("string_above_max_length") {
            return param?.hasPrefix("messages") == true || param == "input" ? .contextOverflow : nil
        }
        // Some put a sentence where others have a code (xAI).
        let texts = [message, innerMessage, code?.contains(" ") == true ? code : nil].compactMap { $0 }
        let known = ErrorWords(codes: codes, texts: texts, status: status).failureClass
        // A quota that comes back by itself is a limit. Gemini sends the words of a used-up quota for both.
        if known == .providerRejected, status == 429, retryDelay != nil || statedWait != nil { return .rateLimited }
        return known ?? (param == "response_format" ? .unsupported : nil)
    }
}

/// The words of an error, as they are compared with the families.
private struct ErrorWords {
    private let codes: [String]
    private let texts: [[UInt8]]
    private let status: Int?

    init(codes: [String], texts: [String], status: Int?) {
        self.codes = codes.map { $0.lowercased() }
        self.texts = texts.map(Self.searchable)
        self.status = status
    }

    var failureClass: FailureClass? {
        let families = ErrorFamily.all.filter { family in status.map { !family.ignoredStatuses.contains($0) } ?? true }
        let family =
            families.first { codes.contains(where: $0.codes.contains) }
            ?? families.first { family in texts.contains { text in family.phrases.contains { $0.occurs(in: text) } } }
            ?? families.first { codes.contains(where: $0.genericCodes.contains) }
        return family?.failure
    }

    /// The first 4 KiB of a message in lower case, without the part in which a server repeats the request: its words
    /// are the client's, and must not make an account look refused.
    private static func searchable(_ text: String) -> [UInt8] {
        let bytes = TextSearch.lowercased(text)
        // pydantic's errors, which vLLM and FastAPI send; OpenAI's errors about a value.
        let echoes = ["'input':", "\"input\":", "invalid value: '"].compactMap { TextSearch.find(Array($0.utf8), in: bytes) }
        return echoes.min().map { Array(bytes[..<$0]) } ?? bytes
    }

}

extension ErrorBody {
    /// Whether a body contains one of the words, in any case.
    ///
    /// - Parameter words: in lower case.
    public static func mentions(_ words: [String], in body: RawSpan) -> Bool {
        let text = (0..<body.byteCount).map { ASCII.lowercased(body.byte($0)) }
        return words.contains { TextSearch.find(Array($0.utf8), in: text) != nil }
    }
}
