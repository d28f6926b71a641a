import Codecs
import RoutingPolicy

extension RequestOutline {
    /// The members of OpenAI's requests that the router reads. They go upstream, `model` with the provider's own
    /// name.
    enum Member: Int, CaseIterable {
        case messages, stream, n, streamOptions, responseFormat, tools, functions, maxTokens, maxCompletionTokens, model
        /// The texts of requests other than chats.
        case input, prompt, query, documents

        fileprivate var name: StaticString {
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
            }
        }
    }

    /// A member of a request's body that the router reads: one of OpenAI's, or a routing override, which no upstream
    /// sees.
    struct Field {
        /// OpenAI's members first, in the order of their cases, then `RoutingOverride.all`. At most 64: the fields of a
        /// request are bits of a word.
        let index: Int

        private static let names = Member.allCases.map(\.name) + RoutingOverride.all.map(\.name)

        /// For each length of a name, a bit for each field whose name has it.
        private static let byLength = InlineArray<32, UInt64> { length in
            names.indices.reduce(0) { names[$1].utf8CodeUnitCount == length ? $0 | 1 << UInt64($1) : $0 }
        }

        var name: String { "\(Self.names[index])" }

        /// nil for a routing override.
        var member: Member? { Member(rawValue: index) }

        var isOverride: Bool { index >= Member.allCases.count }

        var override: RoutingOverride { RoutingOverride.all[index - Member.allCases.count] }

        /// The field of a key; nil for a member that the router does not read. Keys are compared by meaning, so that an
        /// escaped key is the same key. Most members are ruled out by their length.
        init?(_ key: Range<Int>, in body: RawSpan) {
            let length = key.count - 2
            if Self.byLength.indices.contains(length), let field = Self(key, among: Self.byLength[length], in: body) {
                self = field
                return
            }
            // A key that is longer than its meaning has an escape.
            guard JSON.contentLength(key, in: body) != length, let field = Self(key, among: .max, in: body) else { return nil }
            self = field
        }

        @inline(__always)
        private init?(_ key: Range<Int>, among fields: UInt64, in body: RawSpan) {
            var rest = fields
            while rest != 0 {
                let index = rest.trailingZeroBitCount
                rest &= rest &- 1
                guard index < Self.names.count, JSON.isKey(key, Self.names[index], in: body) else { continue }
                self.index = index
                return
            }
            return nil
        }
    }
}
