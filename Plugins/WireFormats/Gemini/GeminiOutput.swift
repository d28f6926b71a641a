import Codecs
import ProviderKit

/// What typed events become in this format: parts, and what a response has beside them.
///
/// A function call is written when it is complete, and other formats may send more of its arguments between the parts
/// of what follows it. So calls stand at the end.
struct GeminiOutput: Sendable {
    private let includesThoughts: Bool
    private var id: String
    private var model: String
    /// The parts that are complete and not written yet.
    private var ready: [GeminiPart] = []
    private var calls: [(index: Int, call: ChatToolCall, signature: String?)] = []
    /// A signature that belongs to the next call, or else to what was before it.
    private var signature: String?
    private var hasHiddenThoughts = false
    private var citations: [ChatCitation] = []
    /// The tokens of the parts that are not written yet; nil if there are none.
    private var tokens: [ChatToken]?
    private var reason = FinishReason.stop
    private var isRefusal = false

    init(id: String, model: String, includesThoughts: Bool) {
        self.id = id
        self.model = model
        self.includesThoughts = includesThoughts
    }

    mutating func add(_ event: ChatEvent) {
        switch event {
        case .start(let id, let model):
            self.id = id ?? self.id
            self.model = model ?? self.model
        case .text(let text): add(text, isThought: false)
        case .refusal(let text):
            isRefusal = true
            add(text, isThought: false)
        case .reasoning(let text):
            if includesThoughts { add(text, isThought: true) } else if !text.isEmpty { hasHiddenThoughts = true }
        case .reasoningToken(let token):
            defer { hasHiddenThoughts = false }
            // A signature of words is worth nothing without them.
            if token.kind == .signature, hasHiddenThoughts { return }
            sign()
            if token.kind == .encrypted {
                ready.append(.text("", isThought: true, signature: GeminiSignature.encoded(token)))
            } else {
                signature = GeminiSignature.encoded(token)
            }
        case .citation(let citation): citations.append(citation)
        case .logprobs(let tokens): self.tokens = (self.tokens ?? []) + tokens
        case .toolCall(let index, let id, let name):
            calls.append((index, ChatToolCall(id: id, name: name, arguments: ""), signature))
            signature = nil
        case .toolArguments(let index, let fragment):
            guard let place = calls.lastIndex(where: { $0.index == index }) else { return }
            calls[place].call.arguments += fragment
        case .finish(let reason, _): self.reason = reason
        }
    }

    /// Takes the parts that are complete.
    mutating func takeParts() -> [GeminiPart] {
        defer { ready = [] }
        return ready
    }

    /// Takes all parts that are left, when the response has ended.
    mutating func takeRest() -> [GeminiPart] {
        for (_, call, signature) in calls { ready.append(.call(call, signature: signature)) }
        calls = []
        sign()
        return takeParts()
    }

    private mutating func add(_ text: String, isThought: Bool) {
        if text.isEmpty { return }
        sign()
        if case .text(let before, isThought, nil)? = ready.last {
            ready[ready.count - 1] = .text(before + text, isThought: isThought, signature: nil)
        } else {
            ready.append(.text(text, isThought: isThought, signature: nil))
        }
    }

    /// Writes a signature that belongs to no call.
    private mutating func sign() {
        if let signature = signature.take() { ready.append(.text("", isThought: false, signature: signature)) }
    }

    /// Takes the tokens of the parts that were taken.
    mutating func takeTokens() -> [ChatToken]? { tokens.take() }

    /// Writes a response with these parts.
    ///
    /// - Parameters:
    ///   - isEnd: whether they are the last ones.
    ///   - usage: nil leaves it out.
    ///   - tokens: those of the parts; nil if there are none.
    func object(_ parts: [GeminiPart], isEnd: Bool, _ usage: Usage?, _ tokens: [ChatToken]?) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("candidates")
            writer.array { writer in
                writer.object { writer in
                    writer.key("content")
                    writer.object {
                        $0.key("parts")
                        $0.array { for part in parts { $0.raw(part.encoded) } }
                        $0.member("role", "model")
                    }
                    if isEnd { writer.member("finishReason", GeminiFinishReason.text(reason, isRefusal: isRefusal)) }
                    writer.member("index", 0)
                    if let tokens { writeLogprobs(tokens, to: &writer) }
                    if isEnd, !citations.isEmpty { writeCitations(to: &writer) }
                }
            }
            if let usage {
                writer.key("usageMetadata")
                usage.writeGemini(to: &writer)
            }
            writer.member("modelVersion", model)
            writer.member("responseId", id)
        }
        return writer.bytes
    }

    /// Source: the Gemini API reference, `LogprobsResult`.
    private func writeLogprobs(_ tokens: [ChatToken], to writer: inout JSONWriter) {
        func write(_ token: ChatToken, to writer: inout JSONWriter) {
            writer.object {
                $0.member("token", token.text)
                $0.key("logProbability")
                $0.double(token.logprob)
            }
        }
        if !tokens.isEmpty {
            writer.key("avgLogprobs")
            writer.double(tokens.reduce(0) { $0 + $1.logprob } / Double(tokens.count))
        }
        writer.key("logprobsResult")
        writer.object { writer in
            writer.key("topCandidates")
            writer.array { writer in
                for token in tokens {
                    writer.object { writer in
                        writer.key("candidates")
                        writer.array { for inner in token.likeliest { write(inner, to: &$0) } }
                    }
                }
            }
            writer.key("chosenCandidates")
            writer.array { for token in tokens { write(token, to: &$0) } }
        }
    }

    private func writeCitations(to writer: inout JSONWriter) {
        writer.key("groundingMetadata")
        writer.object { writer in
            writer.key("groundingChunks")
            writer.array { writer in
                for citation in citations {
                    writer.object { writer in
                        writer.key("web")
                        writer.object {
                            $0.member("uri", citation.url)
                            if let title = citation.title { $0.member("title", title) }
                        }
                    }
                }
            }
        }
    }
}
