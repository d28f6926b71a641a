import Codecs
import ProviderKit

extension ProviderConformance {
    /// What is read of responses whose content the suite knows.
    static let contentChecks: [Check] = [
        typed("the text of a response is read") { $0.text == $1.text ? nil : "it is '\($0.text)'" },
        typed("the reasoning of a response is read") { $0.reasoning == $1.reasoning ? nil : "it is '\($0.reasoning)'" },
        typed("the token of reasoning is read") { $0.tokens.isEmpty != $1.hasToken ? nil : "there are \($0.tokens.count)" },
        typed("tokens name the provider that made them") { meaning, _ in
            let isTagged = meaning.tokens.allSatisfy { if case .provider(let tag) = $0.origin { !tag.isEmpty } else { false } }
            return isTagged ? nil : "a token doesn't"
        },
        known("a refusal is signalled") { $0.isFiltered == $1.isFiltered ? nil : "it is\($0.isFiltered ? "" : "n't")" },
        typed("tool calls are read in their order") { $0.tools.map(\.name) == $1.toolCalls.map(\.name) ? nil : "they are \($0.tools)" },
        typed("the arguments of tool calls are read") { meaning, content in
            let isSame = zip(meaning.tools, content.toolCalls).allSatisfy { sameJSON($0.arguments, $1.arguments) }
            return isSame ? nil : "they are \(meaning.tools.map(\.arguments))"
        },
        typed("each tool call has an id of its own") { meaning, _ in
            let ids = meaning.tools.map(\.id)
            return Set(ids).count == ids.count && !ids.contains("") ? nil : "they are \(ids)"
        },
        known("tool calls are signalled") { $0.hasToolCall == !$1.toolCalls.isEmpty ? nil : "it is \($0.hasToolCall)" },
        known("content is signalled") { meaning, content in
            let hasContent = !(content.text + content.reasoning).isEmpty || content.hasToken || !content.toolCalls.isEmpty
            return !hasContent || meaning.content > 0 ? nil : "no bytes of content are"
        },
        known("the end of each choice is signalled once") { meaning, _ in meaning.finishes == 1 ? nil : "it is \(meaning.finishes) times" },
        typed("the finish reason is read") { $0.finish == $1.finish ? nil : "it is \($0.finish?.rawValue ?? "missing")" },
        known("the usage is read") { $0.usage == $1.usage ? nil : "it is \($0.usage.map { "\($0)" } ?? "missing")" },
    ]

    private typealias Comparison = @Sendable (_ meaning: DecodedResponse.Meaning, _ content: Content) -> String?

    /// A check of each response with known content.
    ///
    /// - Parameter compare: says what is wrong; nil if nothing is.
    private static func known(_ name: String, _ compare: @escaping Comparison) -> Check {
        forResponses(name) { suite, response, call in
            guard let content = response.content else { return [] }
            return compare(suite.decode(response, call).meaning, content).map { [$0] } ?? []
        }
    }

    /// The same, of what only typed events say.
    private static func typed(_ name: String, _ compare: @escaping Comparison) -> Check {
        forResponses(name) { suite, response, call in
            guard let content = response.content, case .chat = call.payload else { return [] }
            return compare(suite.decode(response, call).meaning, content).map { [$0] } ?? []
        }
    }

    /// Whether two texts are the same JSON but for white space. No arguments are an empty object.
    private static func sameJSON(_ first: String, _ second: String) -> Bool { compact(first) == compact(second) }

    private static func compact(_ json: String) -> String {
        var isInString = false, isEscaped = false
        let text = json.filter { character in
            defer { isEscaped = isInString && character == "\\" && !isEscaped }
            if character == "\"", !isEscaped { isInString.toggle() }
            return isInString || !character.isWhitespace
        }
        return text.isEmpty ? "{}" : text
    }
}
