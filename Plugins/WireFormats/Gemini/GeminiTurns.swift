import Codecs
import ProviderKit

/// A conversation in this format: the system instruction, and contents of the user and of the model.
///
/// Messages of the same role in a row become one content. The results of functions have one of their own, right behind
/// the calls. Parts keep their order and are never merged, because some are signed.
struct GeminiTurns {
    private enum Kind {
        case user, results, model
    }

    private struct Turn {
        var kind: Kind
        var parts: [[UInt8]] = []
        var hasCall = false
    }

    /// The parts of the system instruction.
    private(set) var system: [[UInt8]] = []
    private var turns: [Turn] = []
    /// The names of the functions that have been called, by the calls' ids.
    private var names: [String: String] = [:]
    private let model: GeminiModel
    private let call: Call
    private let signatures: GeminiSignatures?

    init(_ messages: [ChatMessage], _ model: GeminiModel, _ call: Call, _ signatures: GeminiSignatures?) throws(ProviderError) {
        self.model = model
        self.call = call
        self.signatures = signatures
        let leading = messages.prefix { $0.role == .system }
        var instruction: [[UInt8]] = []
        for message in leading { instruction += try parts(of: message.parts) }
        for message in messages.dropFirst(leading.count) { try add(message) }
        // A request without contents is refused.
        if turns.isEmpty { append(instruction, to: .user) } else { system = instruction }
        if turns.isEmpty { throw .cannotExpress("a conversation without content") }
    }

    /// Writes the value of `contents`.
    func write(to writer: inout JSONWriter) {
        writer.array {
            for turn in turns {
                $0.object {
                    $0.member("role", turn.kind == .model ? "model" : "user")
                    $0.key("parts")
                    $0.array { for part in turn.parts { $0.raw(part) } }
                }
            }
        }
    }

    private mutating func add(_ message: ChatMessage) throws(ProviderError) {
        switch message.role {
        case .system:
            // There are no system messages among the others.
            append(try parts(of: message.parts.map { ChatPart($0.text.map { .text(.systemMarked($0)) } ?? $0.content) }), to: .user)
        case .user: append(try parts(of: message.parts), to: .user)
        case .assistant:
            append(try modelParts(message.parts), to: .model)
            if message.parts.contains(where: \.isToolCall) { turns[turns.count - 1].hasCall = true }
        case .tool:
            for part in message.parts {
                guard case .toolResult(let result) = part.content else { throw .cannotExpress("a tool's message without a result") }
                append([try self.result(result)], to: .results)
            }
        }
    }

    private mutating func append(_ parts: [[UInt8]], to kind: Kind) {
        guard !parts.isEmpty else { return }
        if turns.last?.kind != kind { turns.append(Turn(kind: kind)) }
        turns[turns.count - 1].parts += parts
    }

    // MARK: Parts

    /// The parts of a user, or of the system.
    private func parts(of parts: [ChatPart]) throws(ProviderError) -> [[UInt8]] {
        var written: [[UInt8]] = []
        for part in parts {
            switch part.content {
            case .text(let text), .refusal(let text):
                if !text.isEmpty { written.append(GeminiPart.text(text, isThought: false, signature: nil).encoded) }
            case .media(let media): written.append(try Self.media(media))
            case .toolCall, .toolResult: throw .cannotExpress("a tool's call or result in a user's message")
            case .reasoning: continue
            }
        }
        return written
    }

    /// The parts of the model. A signature belongs to the part behind it, or to an empty text at the end.
    private mutating func modelParts(_ parts: [ChatPart]) throws(ProviderError) -> [[UInt8]] {
        var written: [[UInt8]] = [], signature: String?
        // Of a turn, only the first call must be signed.
        var hasCall = turns.last?.hasCall ?? false
        for (index, part) in parts.enumerated() {
            switch part.content {
            case .reasoning(let reasoning): signature = token(of: reasoning) ?? signature
            case .text(let text), .refusal(let text):
                if text.isEmpty { continue }
                // A call must be signed, a text need not be.
                let isForCall = Self.isCallNext(parts[(index + 1)...])
                written.append(GeminiPart.text(text, isThought: false, signature: isForCall ? nil : signature).encoded)
                if !isForCall { signature = nil }
            case .toolCall(let toolCall):
                names[toolCall.id] = toolCall.name
                let known = signature ?? (isUnsigned ? nil : signatures?.signature(of: toolCall.id))
                written.append(
                    GeminiPart.call(toolCall, signature: known ?? (hasCall || !model.requiresSignatures ? nil : GeminiSignature.sentinel))
                        .encoded)
                hasCall = true
                signature = nil
            case .media(let media): written.append(try Self.media(media))
            case .toolResult: throw .cannotExpress("a tool's result in the model's message")
            }
        }
        if let signature { written.append(GeminiPart.text("", isThought: false, signature: signature).encoded) }
        return written
    }

    /// Whether a call comes before the next token.
    private static func isCallNext(_ parts: ArraySlice<ChatPart>) -> Bool {
        for part in parts {
            switch part.content {
            case .toolCall: return true
            case .reasoning(let reasoning) where reasoning.token != nil: return false
            case .reasoning, .text, .refusal, .media, .toolResult: continue
            }
        }
        return false
    }

    private var isUnsigned: Bool { call.repairs.contains(.withoutSignatures) }

    /// The token of reasoning that this provider has made; nil for all other reasoning.
    private func token(of reasoning: ChatReasoningText) -> String? {
        isUnsigned ? nil : reasoning.token?.value(for: call, in: Gemini.format)
    }

    private func result(_ result: ChatToolResult) throws(ProviderError) -> [UInt8] {
        guard let name = names[result.callID] else {
            throw ProviderError(
                .clientError, status: 400, message: "the tool's result '\(result.callID.prefix(64))' belongs to no call before it",
                code: "invalid_value", param: "messages")
        }
        let media = result.parts.compactMap { if case .media(let media) = $0.content { media } else { nil } }
        guard media.isEmpty || model.acceptsMediaInResults else {
            throw .cannotExpress("an image or a file in a tool's result with this model")
        }
        let text = result.parts.joinedText
        let isObject =
            !result.isError && text.hasPrefix("{") && text.hasSuffix("}") && JSONTree(Array(text.utf8).span.bytes)?.isPlainResult == true
        var parts: [[UInt8]] = []
        for medium in media { parts.append(try Self.media(medium)) }
        var writer = JSONWriter(capacity: text.utf8.count + 128)
        writer.object {
            $0.key("functionResponse")
            $0.object {
                $0.member("id", result.callID)
                $0.member("name", name)
                $0.key("response")
                if isObject { $0.raw(Array(text.utf8)) } else { $0.object { $0.member(result.isError ? "error" : "output", text) } }
                guard !parts.isEmpty else { return }
                $0.key("parts")
                $0.array { for part in parts { $0.raw(part) } }
            }
        }
        return writer.bytes
    }

    /// A medium in base64, or one that Google keeps. Nothing is fetched from other addresses.
    private static func media(_ media: ChatMedia) throws(ProviderError) -> [UInt8] {
        var writer = JSONWriter()
        switch media.source {
        case .base64(let data, let type):
            guard let type = type ?? MediaType.ofBase64(data) else { throw .cannotExpress("\(media.what) of an unknown type") }
            writer.object {
                $0.key("inlineData")
                $0.object {
                    $0.member("mimeType", type)
                    $0.member("data", data)
                }
            }
        case .url(let uri), .id(let uri):
            guard uri.hasPrefix("gs://") || uri.hasPrefix("https://generativelanguage.googleapis.com/") else {
                throw .cannotExpress("\(media.what) at a URL, without its bytes in base64")
            }
            writer.object {
                $0.key("fileData")
                $0.object { $0.member("fileUri", uri) }
            }
        }
        return writer.bytes
    }
}

extension ChatMedia {
    /// What it is, in words.
    fileprivate var what: String {
        switch kind {
        case .image: "an image"
        case .audio: "audio"
        case .video: "a video"
        case .file: "a file"
        }
    }
}

extension ChatPart {
    fileprivate var isToolCall: Bool { if case .toolCall = content { true } else { false } }
}

extension JSONTree {
    /// Whether the tree is an object that is a function's result as it is: one without the members that name the
    /// result.
    fileprivate var isPlainResult: Bool {
        members.map { members in !members.contains { ["output", "error"].contains($0.name) } } ?? false
    }
}
