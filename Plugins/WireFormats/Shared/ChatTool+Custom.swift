import Codecs
import ProviderKit

/// Tools that take a text, and the functions that stand for them in formats that don't have them.
extension ChatTool {
    /// - Parameters:
    ///   - name: the function's, which may have the name of a group in front.
    ///   - grammar: nil for any text.
    init(customNamed name: String, description: String?, grammar: ChatGrammar?) {
        let demand = grammar.map { "The input must match this grammar (\($0.syntax)):\n\($0.definition)" }
        self.init(
            name: name, description: [description, demand].compactMap { $0 }.paragraphs, parameters: Self.inputSchema,
            custom: ChatCustomTool(description: description, grammar: grammar))
    }

    private static let inputSchema = Array(
        #"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}"#.utf8)

    /// The arguments of the function that stands for a custom tool.
    static func arguments(ofInput input: String) -> String {
        var writer = JSONWriter(capacity: input.utf8.count + 16)
        writer.object { $0.member("input", input) }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The text in the arguments. Models may write anything else, which is the text then.
    static func input(ofArguments arguments: String) -> String {
        JSONTree(Array(arguments.utf8).span.bytes)?["input"]?.string ?? arguments
    }
}

extension [String] {
    /// The texts as paragraphs; nil if there are none.
    fileprivate var paragraphs: String? { isEmpty ? nil : joined(separator: "\n\n") }
}

extension ChatGrammar {
    /// Reads an object with `definition` and `syntax`; nil if it has no definition, as the format of any text.
    static func read(_ value: RequestValue?) throws(ProviderError) -> ChatGrammar? {
        guard let value, let definition = try value["definition"]?.text() else { return nil }
        return ChatGrammar(syntax: try value["syntax"]?.text() ?? "lark", definition: definition)
    }
}
