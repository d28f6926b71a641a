import Codecs
import RoutingPolicy
import WireFormats

extension RequestOutline {
    /// The members of requests that the router reads. They go upstream, `model` with the provider's own name.
    enum Member {
        case messages, stream, n, streamOptions, responseFormat, tools, functions, maxTokens, maxCompletionTokens, model
        /// The texts of requests other than chats.
        case input, prompt, query, documents
        /// Anthropic's.
        case system, outputConfig, outputFormat
        /// Those of OpenAI's Responses, whose `input` is a conversation.
        case items, instructions, maxOutputTokens, text
        /// Those that need a store of responses.
        case previousResponse, conversation, background
        /// Ollama's.
        case images, options, format
        /// Gemini's.
        case contents, systemInstruction, generationConfig, generateContentRequest, content, requests

        /// How its key is written. Gemini's servers accept the names of the protocol buffer too.
        fileprivate var names: [StaticString] {
            switch self {
            case .systemInstruction: ["systemInstruction", "system_instruction"]
            case .generationConfig: ["generationConfig", "generation_config"]
            case .generateContentRequest: ["generateContentRequest", "generate_content_request"]
            default: [name]
            }
        }

        private var name: StaticString {
            switch self {
            case .messages: "messages"
            case .stream: "stream"
            case .n: "n"
            case .streamOptions: "stream_options"
            case .responseFormat: "response_format"
            case .tools: "tools"
            case .functions: "functions"
            case .maxTokens: "max_tokens"
            case .maxCompletionTokens: "max_completion_tokens"
            case .model: "model"
            case .input: "input"
            case .prompt: "prompt"
            case .query: "query"
            case .documents: "documents"
            case .system: "system"
            case .outputConfig: "output_config"
            case .outputFormat: "output_format"
            case .items: "input"
            case .instructions: "instructions"
            case .maxOutputTokens: "max_output_tokens"
            case .text: "text"
            case .previousResponse: "previous_response_id"
            case .conversation: "conversation"
            case .background: "background"
            case .images: "images"
            case .options: "options"
            case .format: "format"
            case .contents: "contents"
            case .systemInstruction: "systemInstruction"
            case .generationConfig: "generationConfig"
            case .generateContentRequest: "generateContentRequest"
            case .content: "content"
            case .requests: "requests"
            }
        }
    }

    /// A member of a request's body that the router reads. It holds no reference, so that a copy costs little.
    struct Field: Sendable {
        enum Meaning: Sendable {
            case member(Member)
            /// An index into `RoutingOverride.all`. No upstream sees it.
            case override(Int)
        }

        /// The member's position in its table.
        let id: Int
        let name: StaticString
        let meaning: Meaning

        var isMessages: Bool { if case .member(.messages) = meaning { true } else { false } }
        var isOverride: Bool { if case .override = meaning { true } else { false } }
        var text: String { "\(name)" }
    }

    /// The members that the router reads of the requests of one API.
    final class FieldTable: Sendable {
        /// In the order of the lengths of their names.
        private let fields: [Field]
        /// Where in `fields` those with a name of each length begin. The length rules out most members of a request.
        private let starts: [Int]

        private static let openAIMembers: [Member] = [
            .messages, .stream, .n, .streamOptions, .responseFormat, .tools, .functions, .maxTokens, .maxCompletionTokens, .model,
            .input, .prompt, .query, .documents,
        ]

        /// All of OpenAI's requests but Responses share one table.
        static let openAI = FieldTable(openAIMembers, RoutingOverride.all)
        static let openAIResponses = FieldTable(
            [.items, .model, .stream, .instructions, .tools, .maxOutputTokens, .text, .previousResponse, .conversation, .background],
            RoutingOverride.all)
        static let anthropic = FieldTable(
            [.messages, .model, .stream, .system, .tools, .maxTokens, .outputConfig, .outputFormat], [], modelSuffix: "[1m]")

        static let ollama = FieldTable([.messages, .model, .stream, .tools, .prompt, .system, .input, .images, .options, .format], [])

        static let gemini = FieldTable(
            [.contents, .systemInstruction, .tools, .generationConfig, .generateContentRequest, .content, .requests], [],
            modelPrefix: Gemini.modelPrefix)

        /// The table with OpenAI's members beside its own: requests that aren't sent may be described by these for any
        /// API.
        var describable: FieldTable {
            var own: [Member] = []
            for case .member(let member) in fields.map(\.meaning) where !(Self.openAIMembers + own).contains(member) {
                own.append(member)
            }
            return FieldTable(
                Self.openAIMembers + own, RoutingOverride.all, hasOverrides: hasOverrides, modelPrefix: modelPrefix,
                modelSuffix: modelSuffix)
        }

        /// Whether bodies have routing overrides. Otherwise only headers have them, also the models.
        let hasOverrides: Bool
        /// What clients write in front of a model's name; nil: nothing. It is not a part of the name.
        let modelPrefix: String?
        /// What clients add to a model's name to ask for its long context; nil: nothing. It is not a part of the name.
        /// Source: Claude Code's documentation, "Model configuration".
        let modelSuffix: String?

        private init(
            _ members: [Member], _ overrides: [RoutingOverride], hasOverrides: Bool? = nil, modelPrefix: String? = nil,
            modelSuffix: String? = nil
        ) {
            self.hasOverrides = hasOverrides ?? !overrides.isEmpty
            self.modelPrefix = modelPrefix
            self.modelSuffix = modelSuffix
            let meanings =
                members.map { ($0.names, Field.Meaning.member($0)) } + overrides.enumerated().map { ([$1.name], .override($0)) }
            let all = meanings.enumerated().flatMap { id, field in
                field.0.map { Field(id: id, name: $0, meaning: field.1) }
            }
            fields = all.sorted { $0.name.utf8CodeUnitCount < $1.name.utf8CodeUnitCount }
            let lengths = fields.map(\.name.utf8CodeUnitCount)
            starts = (0...(lengths.last ?? 0) + 1).map { length in lengths.firstIndex { $0 >= length } ?? lengths.count }
        }

        /// The names without what clients write around them.
        func bareNames(_ names: [String]) -> [String] {
            guard modelPrefix != nil || modelSuffix != nil else { return names }
            return names.map { name in
                var name = name
                if let modelPrefix, name.hasPrefix(modelPrefix) { name.removeFirst(modelPrefix.count) }
                if let modelSuffix, name.hasSuffix(modelSuffix) { name.removeLast(modelSuffix.count) }
                return name
            }
        }

        /// The field of a key; nil for a member that the router does not read. Keys are compared by meaning, so that an
        /// escaped key is the same key.
        func named(_ key: Range<Int>, in body: RawSpan) -> Field? {
            let length = key.count - 2
            if let field = named(key, in: body, length: length) { return field }
            // A key that is longer than its meaning has an escape.
            guard key.contains(where: { body.byte($0) == ASCII.backslash }) else { return nil }
            return named(key, in: body, length: JSON.contentLength(key, in: body))
        }

        private func named(_ key: Range<Int>, in body: RawSpan, length: Int) -> Field? {
            guard length >= 0, length + 1 < starts.count else { return nil }
            for index in starts[length]..<starts[length + 1] where JSON.isKey(key, fields[index].name, in: body) { return fields[index] }
            return nil
        }
    }
}
