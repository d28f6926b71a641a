import Codecs
import ProviderKit

/// An item of a response's output.
struct ResponsesItem: Sendable {
    enum Kind: Sendable, Equatable {
        case message, reasoning
        case call(ResponsesTool)

        /// Source: as OpenAI writes them, and requires them of items that are sent back.
        var idPrefix: String {
            switch self {
            case .message: "msg"
            case .reasoning: "rs"
            case .call(let tool):
                switch tool.kind {
                case .function: "fc"
                case .custom: "ctc"
                case .localShell: "lsh"
                }
            }
        }
    }

    /// A text in an item.
    struct Part: Sendable {
        enum Kind: Sendable {
            case text, refusal, summary
        }

        let kind: Kind
        var text = ""
        var citations: [ChatCitation] = []
        /// The tokens of the text, if the request asks for their log probabilities.
        var tokens: [ChatToken] = []
    }

    enum Status: String, Sendable {
        case inProgress = "in_progress"
        case completed, incomplete
    }

    let id: String
    let kind: Kind
    let callID: String
    var parts: [Part] = []
    /// The arguments of a call, as the function that stands for its tool gets them.
    private(set) var arguments = ""
    private var object = JSONObjectEnd()
    /// The reasoning's token; nil if there is none.
    var token: String?
    var status = Status.inProgress
    var isIncomplete = false

    init(id: String, kind: Kind, callID: String) {
        self.id = id
        self.kind = kind
        self.callID = callID
    }

    mutating func add(arguments more: String) {
        arguments += more
        object.add(more)
    }

    /// Whether the arguments are an object that has ended.
    var hasCompleteArguments: Bool { object.isReached }

    /// Whether a stream has the arguments as they come. What stands for a function's arguments in other calls is known
    /// at their end.
    var streamsArguments: Bool { if case .call(let tool) = kind { tool.kind == .function } else { false } }

    /// The item at its beginning. One event may begin and end it.
    var begun: ResponsesItem {
        var item = self
        item.status = .inProgress
        return item
    }

    /// Writes the item. As long as it is in progress, it has no content.
    ///
    /// Reasoning has `encrypted_content` also if there is no token, so that its way back to a provider of this format
    /// can be recognized. The token of a signature has a summary, if only an empty one, and that of encrypted reasoning
    /// has none, so that both can be told apart.
    func write(to writer: inout JSONWriter) {
        let isOpen = status == .inProgress
        writer.object {
            $0.member("id", id)
            switch kind {
            case .message:
                $0.member("type", "message")
                $0.member("status", status.rawValue)
                $0.member("role", "assistant")
                $0.key("content")
                $0.array { if !isOpen { for part in parts { part.write(to: &$0) } } }
            case .reasoning:
                $0.member("type", "reasoning")
                $0.key("summary")
                $0.array { if !isOpen { for part in parts { part.write(to: &$0) } } }
                if !isOpen { $0.member("encrypted_content", token ?? OpaqueToken.none) }
            case .call(let tool): write(tool, isOpen: isOpen, to: &$0)
            }
        }
    }

    private func write(_ tool: ResponsesTool, isOpen: Bool, to writer: inout JSONWriter) {
        switch tool.kind {
        case .function:
            writer.member("type", "function_call")
            writer.member("status", status.rawValue)
            writer.member("call_id", callID)
            writer.member("name", tool.name)
            if let namespace = tool.namespace { writer.member("namespace", namespace) }
            writer.member("arguments", isOpen ? "" : completeArguments)
        case .custom:
            writer.member("type", "custom_tool_call")
            writer.member("status", status.rawValue)
            writer.member("call_id", callID)
            writer.member("name", tool.name)
            if let namespace = tool.namespace { writer.member("namespace", namespace) }
            writer.member("input", isOpen ? "" : ChatTool.input(ofArguments: arguments))
        case .localShell:
            writer.member("type", "local_shell_call")
            writer.member("status", status.rawValue)
            writer.member("call_id", callID)
            writer.key("action")
            Self.write(action: isOpen ? "" : arguments, to: &writer)
        }
    }

    /// The arguments of a function, which are an object also if there are none.
    var completeArguments: String { arguments.isEmpty ? "{}" : arguments }

    /// Writes a shell call's action, in which `command` and `env` are required. A model may also write the command as
    /// one text. Source: the SDK's `LocalShellCallAction`.
    private static func write(action arguments: String, to writer: inout JSONWriter) {
        let action = JSONTree(Array(arguments.utf8).span.bytes)
        let command = action?["command"], words = command?.elements?.compactMap(\.string)
        let line = command?.string.map { ["sh", "-c", $0] } ?? (arguments.isEmpty ? [] : ["sh", "-c", arguments])
        writer.object {
            $0.member("type", "exec")
            $0.key("command")
            $0.array { for word in words ?? line { $0.string(word) } }
            $0.key("env")
            if let env = action?["env"], env.members != nil { env.write(to: &$0) } else { $0.object { _ in } }
            if let timeout = action?["timeout_ms"]?.integer { $0.member("timeout_ms", timeout) }
            if let user = action?["user"]?.string { $0.member("user", user) }
            if let folder = action?["working_directory"]?.string { $0.member("working_directory", folder) }
        }
    }
}

/// Finds the end of a JSON object in its text, which comes in fragments.
private struct JSONObjectEnd {
    private(set) var isReached = false
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    mutating func add(_ fragment: String) {
        for byte in fragment.utf8 where !isReached {
            if isEscaped {
                isEscaped = false
            } else if isInString {
                isEscaped = byte == UInt8(ascii: "\\")
                isInString = byte != UInt8(ascii: "\"")
            } else {
                switch byte {
                case UInt8(ascii: "\""): isInString = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    depth -= 1
                    isReached = depth == 0
                default: break
                }
            }
        }
    }
}

extension ResponsesItem.Part {
    /// Writes the part.
    ///
    /// - Parameter isEmpty: whether it has just begun.
    func write(to writer: inout JSONWriter, isEmpty: Bool = false) {
        let text = isEmpty ? "" : self.text
        switch kind {
        case .summary: writer.part("summary_text", text)
        case .refusal:
            writer.object {
                $0.member("type", "refusal")
                $0.member("refusal", text)
            }
        case .text:
            writer.object {
                $0.member("type", "output_text")
                $0.member("text", text)
                $0.key("annotations")
                $0.array { if !isEmpty { for citation in citations { citation.writeResponses(to: &$0) } } }
                $0.key("logprobs")
                $0.tokens(isEmpty ? [] : tokens)
            }
        }
    }
}

extension ChatCitation {
    /// Writes an annotation of a text. Where in the text it belongs is not known.
    func writeResponses(to writer: inout JSONWriter) {
        writer.object {
            $0.member("type", "url_citation")
            $0.member("url", url)
            $0.member("title", title ?? "")
            $0.member("start_index", 0)
            $0.member("end_index", 0)
        }
    }
}
