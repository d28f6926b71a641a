import Codecs
import ProviderKit

/// A conversation in this format: the system prompt, and turns of the user and of the assistant, which must alternate.
struct BedrockTurns {
    private struct Turn {
        var isUser: Bool
        var blocks: [[UInt8]] = []
        var hasToolUse = false
        var hasReasoning = false
    }

    /// The blocks of the system prompt.
    private(set) var system: [[UInt8]] = []
    /// The names of the tools that the conversation has called, each once.
    private(set) var toolNames: [String] = []
    private var turns: [Turn] = []
    private var documents = 0
    /// Sources: botocore's bedrock-runtime service model, `ToolUseId`; the refusals of Claude (`tool_use` ids must be
    /// unique) and of other models ("duplicate Ids"), as clients have recorded them.
    private var toolIDs = UniqueToolIDs(marks: "_.:-", maxLength: 64)
    private let model: BedrockModel
    private let call: Call

    init(_ messages: [ChatMessage], _ model: BedrockModel, _ call: Call) throws(ProviderError) {
        self.model = model
        self.call = call
        let leading = messages.prefix { $0.role == .system }
        for message in leading { system += try blocks(of: message.parts) }
        for message in messages.dropFirst(leading.count) { try add(message) }
        // A request without turns is refused.
        if turns.isEmpty {
            append(system, isUser: true)
            system = []
        }
        if turns.isEmpty { throw .cannotExpress("a conversation without content") }
    }

    /// Whether the assistant's last turn calls tools without reasoning.
    var lacksThinking: Bool { turns.last { !$0.isUser }.map { $0.hasToolUse && !$0.hasReasoning } ?? false }

    /// Writes the value of `messages`.
    func write(to writer: inout JSONWriter) {
        writer.array {
            for turn in turns {
                $0.object {
                    $0.member("role", turn.isUser ? "user" : "assistant")
                    $0.key("content")
                    $0.array { for block in turn.blocks { $0.raw(block) } }
                }
            }
        }
    }

    private mutating func add(_ message: ChatMessage) throws(ProviderError) {
        var parts = message.parts
        if message.role == .system {
            // Only the newest models know system messages among the others.
            parts = parts.map { part in
                guard case .text(let text) = part.content else { return part }
                return ChatPart(.text("<system>\n\(text)\n</system>"), cacheControl: part.cacheControl)
            }
        }
        let blocks = try blocks(of: parts), isUser = message.role != .assistant
        guard !blocks.isEmpty else { return }
        append(blocks, isUser: isUser)
        for part in parts {
            if case .toolCall(let call) = part.content {
                turns[turns.count - 1].hasToolUse = true
                if !toolNames.contains(call.name) { toolNames.append(call.name) }
            }
            if case .reasoning(let reasoning) = part.content, token(of: reasoning) != nil { turns[turns.count - 1].hasReasoning = true }
        }
    }

    private mutating func append(_ blocks: [[UInt8]], isUser: Bool) {
        guard !blocks.isEmpty else { return }
        if turns.last?.isUser != isUser { turns.append(Turn(isUser: isUser)) }
        turns[turns.count - 1].blocks += blocks
    }

    // MARK: Blocks

    private mutating func blocks(of parts: [ChatPart]) throws(ProviderError) -> [[UInt8]] {
        var blocks: [[UInt8]] = []
        for part in parts {
            switch part.content {
            // A text without words is refused.
            case .text(let text), .refusal(let text):
                if !text.allSatisfy(\.isWhitespace) { blocks.append(Self.block { $0.member("text", text) }) }
            case .media(let media): blocks.append(try self.media(media))
            case .toolCall(let call): blocks.append(toolUse(call))
            case .toolResult(let result): blocks.append(try toolResult(result))
            case .reasoning(let reasoning):
                if let token = token(of: reasoning) { blocks.append(Self.reasoning(reasoning, token)) }
            }
            if let point = model.cachePoint(part.cacheControl), !blocks.isEmpty { blocks.append(point) }
        }
        return blocks
    }

    /// The token of reasoning that this provider has made; nil for all other reasoning, which it doesn't accept.
    private func token(of reasoning: ChatReasoningText) -> String? {
        if call.repairs.contains(.withoutThinking) { return nil }
        return reasoning.token?.value(for: call, in: BedrockConverse.format)
    }

    private static func reasoning(_ reasoning: ChatReasoningText, _ token: String) -> [UInt8] {
        block {
            $0.key("reasoningContent")
            $0.object {
                if reasoning.token?.kind == .encrypted { return $0.member("redactedContent", token) }
                $0.key("reasoningText")
                $0.object {
                    $0.member("text", reasoning.text)
                    $0.member("signature", token)
                }
            }
        }
    }

    private mutating func toolUse(_ call: ChatToolCall) -> [UInt8] {
        let id = toolIDs.id(ofCall: call.id)
        return Self.block {
            $0.key("toolUse")
            $0.object {
                $0.member("toolUseId", id)
                $0.member("name", call.name)
                $0.key("input")
                $0.raw(call.argumentsObject)
            }
        }
    }

    private mutating func toolResult(_ result: ChatToolResult) throws(ProviderError) -> [UInt8] {
        let content = try blocks(of: result.parts), id = toolIDs.id(ofResult: result.callID)
        return Self.block {
            $0.key("toolResult")
            $0.object {
                $0.member("toolUseId", id)
                $0.key("content")
                $0.array { for block in content { $0.raw(block) } }
                if result.isError { $0.member("status", "error") }
            }
        }
    }

    // MARK: Media

    /// The formats of media by their types, which differ from the name in the type only where listed.
    private static let formats: [ChatMedia.Kind: (member: StaticString, formats: [String: String])] = [
        .image: ("image", ["image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"]),
        .video: (
            "video",
            [
                "video/x-matroska": "mkv", "video/quicktime": "mov", "video/mp4": "mp4", "video/webm": "webm", "video/x-flv": "flv",
                "video/mpeg": "mpeg", "video/x-ms-wmv": "wmv", "video/3gpp": "three_gp",
            ]
        ),
        .audio: (
            "audio",
            [
                "audio/mp3": "mp3", "audio/mpeg": "mp3", "audio/wav": "wav", "audio/x-wav": "wav", "audio/aac": "aac", "audio/flac": "flac",
                "audio/ogg": "ogg", "audio/opus": "opus", "audio/mp4": "mp4", "audio/m4a": "m4a", "audio/webm": "webm", "audio/pcm": "pcm",
            ]
        ),
        .file: (
            "document",
            [
                "application/pdf": "pdf", "text/csv": "csv", "application/msword": "doc",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx", "application/vnd.ms-excel": "xls",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx", "text/html": "html", "text/plain": "txt",
                "text/markdown": "md",
            ]
        ),
    ]

    private mutating func media(_ media: ChatMedia) throws(ProviderError) -> [UInt8] {
        guard let (member, formats) = Self.formats[media.kind] else { throw .cannotExpress(media.kind.withArticle) }
        guard case .base64(let data, let mediaType) = media.source else {
            throw .cannotExpress("\(media.kind.withArticle) by reference: it needs the bytes")
        }
        let type = mediaType ?? MediaType.ofBase64(data) ?? ""
        guard let format = formats[type] else { throw .cannotExpress("\(media.kind.withArticle) of the type '\(type.prefix(64))'") }
        if media.kind == .file { documents += 1 }
        let name = Self.documentName(media.filename, documents)
        return Self.block {
            $0.key(member)
            $0.object {
                $0.member("format", format)
                if media.kind == .file { $0.member("name", name) }
                $0.key("source")
                $0.object { $0.member("bytes", data) }
            }
        }
    }

    /// A name of a document, which has only letters, digits, blanks, hyphens, parentheses and brackets, and occurs
    /// once. Source: Amazon Bedrock's API reference, `DocumentBlock`.
    private static func documentName(_ filename: String?, _ number: Int) -> String {
        let allowed = (filename ?? "").utf8.prefix(150).map {
            ASCII.isLetter($0) || ASCII.isDigit($0) || "-()[]".utf8.contains($0) ? $0 : ASCII.space
        }
        let words = String(decoding: allowed, as: UTF8.self).split(separator: " ").joined(separator: " ")
        return words.isEmpty ? "document \(number)" : number > 1 ? "\(words) \(number)" : words
    }

    private static func block(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { members(&$0) }
        return writer.bytes
    }
}
