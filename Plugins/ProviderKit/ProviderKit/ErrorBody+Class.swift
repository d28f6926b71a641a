import Codecs

extension ErrorBody {
    /// The class of a failure with this body: what the words say is at fault, and the status only if they say nothing.
    ///
    /// - Parameter status: the status of the response. nil for an error inside a successful response: then the code
    ///   counts if it is a status, and the words mean what they mean with a 400.
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
        // A message of one word is a code.
        let code = code ?? message.flatMap { $0.contains(" ") ? nil : $0 }
        let codes = ([code, type].compactMap { $0 } + furtherCodes).map(Self.withoutNamespace)
        // OpenAI sends this for any text. For a message's content it is about the context, for `user` or a tool's name
        // it is the client's mistake. [litellm, exception_mapping_utils.py]
        if codes.contains("string_above_max_length") { return isAboutContent ? .contextOverflow : nil }
        // Some put a sentence where others have a code (xAI).
        let texts = [message, innerMessage, code?.contains(" ") == true ? code : nil].compactMap { $0 } + furtherMessages
        let known = ErrorWords(codes: codes, texts: texts, status: status ?? 400).failureClass
        // A quota that comes back by itself is a limit. Gemini sends the words of a used-up quota for both.
        if known == .providerRejected, status == 429, retryDelay != nil || statedWait(now: 0) != nil || namesPeriod {
            return .rateLimited
        }
        return known ?? (param == "response_format" ? .unsupported : nil)
    }

    /// Whether the message is about the limit of an hour or a day.
    private var namesPeriod: Bool {
        let texts = [message, innerMessage].compactMap { $0 }.map { ErrorText(TextSearch.lowercased($0)) }
        return texts.contains { text in ErrorFamily.period.contains { $0.occurs(in: text) } }
    }

    /// The name of an exception of AWS, `com.amazon.coral.service#ThrottlingException:http://…`, without what is
    /// around it. Source: AWS's protocol `restJson1`, "Operation error serialization".
    private static func withoutNamespace(_ code: String) -> String {
        guard let mark = code.lastIndex(of: "#") else { return code }
        return String(code[code.index(after: mark)...].prefix { $0 != ":" })
    }

    /// Whether `param` is the text of the prompt: `messages`, `messages[1].content`, `messages.[0].content.[1].text`,
    /// `input` or `input[2].output`, which is a tool's.
    private var isAboutContent: Bool {
        let path = param?.split { ".[]".contains($0) }.filter { Int($0) == nil } ?? []
        guard path.first == "input" || path.first == "messages" else { return false }
        return path.count == 1 || path[1] == "content" || path[1] == "output"
    }
}

extension ProviderError {
    /// The error of a request for a model. A refusal (401, 403) that names the model, and says nothing of the key or
    /// the account, is about that model alone: ``FailureClass/notFound``.
    ///
    /// - Parameter model: the provider's own name of the model.
    public func atModel(_ model: String) -> ProviderError {
        guard failure == .providerRejected, status == 401 || status == 403, Self.isTelling(model), names(model),
            ErrorWords(codes: [], texts: [message], status: status ?? 400).failureClass != .providerRejected
        else { return self }
        var error = self
        error.failure = .notFound
        return error
    }

    /// Whether a name is not a word that messages use anyway.
    private static func isTelling(_ model: String) -> Bool {
        model.utf8.count >= 4 && model.utf8.contains { ASCII.isDigit($0) || $0 == ASCII.minus || $0 == UInt8(ascii: "/") }
    }

    private func names(_ model: String) -> Bool {
        let text = TextSearch.lowercased(message), name = TextSearch.lowercased(model)
        func isPart(_ index: Int) -> Bool {
            text.indices.contains(index) && (ASCII.isLetter(text[index]) || ASCII.isDigit(text[index]) || "-_/".utf8.contains(text[index]))
        }
        var start = 0
        while let found = TextSearch.find(name, in: text, from: start) {
            if !isPart(found - 1), !isPart(found + name.count) { return true }
            start = found + 1
        }
        return false
    }
}

/// The words of an error, as they are compared with the families.
private struct ErrorWords {
    private let codes: [String]
    /// The codes as words, because a code that the table doesn't know often says the same as a message.
    private let codeTexts: [ErrorText]
    /// The messages, without what they quote from the request.
    private let texts: [ErrorText]
    private let textsWithQuotes: [ErrorText]
    private let status: Int

    init(codes: [String], texts: [String], status: Int) {
        self.codes = codes.map { $0.lowercased() }
        codeTexts = codes.map { ErrorText(Self.words(ofCode: $0)) }
        self.status = status
        let messages = texts.map(QuotingText.init)
        textsWithQuotes = messages.map { $0.withQuotes(status: status) }
        self.texts = messages.map { $0.withoutQuotes(status: status) }
    }

    var failureClass: FailureClass? {
        let families = ErrorFamily.all.filter { $0.counts(with: status) }
        let family =
            families.first { codes.contains(where: $0.codes.contains) }
            ?? families.first { family in
                (family.includesQuotes ? textsWithQuotes : texts).contains { text in family.phrases.contains { $0.occurs(in: text) } }
            }
            ?? families.first { family in
                codeTexts.contains { text in family.phrases.contains { $0.occurs(in: text) } }
            }
            ?? families.first { codes.contains(where: $0.genericCodes.contains) }
        return family?.failure
    }

    /// `free_quota_exhausted` and `FreeQuotaExhausted` as `free quota exhausted`.
    private static func words(ofCode code: String) -> [UInt8] {
        var words: [UInt8] = [], previous = ASCII.space
        for byte in code.utf8.prefix(128) {
            let isCapital = byte != ASCII.lowercased(byte)
            if isCapital, ASCII.isLetter(previous), previous == ASCII.lowercased(previous) { words.append(ASCII.space) }
            words.append("_-.:/".utf8.contains(byte) ? ASCII.space : ASCII.lowercased(byte))
            previous = byte
        }
        return words
    }
}

extension ErrorBody {
    /// Whether a body contains one of the words, in any case.
    ///
    /// - Parameters:
    ///   - words: in lower case.
    ///   - body: the body of a response.
    public static func mentions(_ words: [String], in body: RawSpan) -> Bool {
        let text = (0..<body.byteCount).map { ASCII.lowercased(body.byte($0)) }
        return words.contains { TextSearch.find(Array($0.utf8), in: text) != nil }
    }
}
