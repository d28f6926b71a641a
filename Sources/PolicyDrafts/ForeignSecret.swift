internal import Codecs

/// A secret of another program's file, as a policy refers to it. The secret itself is never written.
enum ForeignSecret {
    /// The name of the variable that holds it, as a policy can write it.
    case variable(String)
    case literal(String)

    /// `os.environ/NAME` is LiteLLM's form, `${NAME}` that of the others.
    init(_ text: String) {
        if let name = Self.liteLLMVariable(text) {
            self = .variable(Self.allowedName(name))
        } else if text.hasPrefix("${"), text.hasSuffix("}"), case let name = text.dropFirst(2).dropLast(), Self.isName(name) {
            self = .variable(String(name))
        } else {
            self = .literal(text)
        }
    }

    /// The name of LiteLLM's variable that a policy can't write; nil if it can, or if the text is no variable.
    static func renamedVariable(_ text: String) -> String? {
        liteLLMVariable(text).flatMap { isName($0) ? nil : $0 }
    }

    private static func liteLLMVariable(_ text: String) -> String? {
        text.hasPrefix("os.environ/") ? String(text.dropFirst("os.environ/".count)) : nil
    }

    /// The names of variables that a text may contain. Other words of it count too, which does no harm.
    static func possibleNames(in text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map { allowedName(liteLLMVariable(String($0)) ?? String($0)) }
            + text.split { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_")) }.map(String.init)
    }

    private static func isName(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "_") }
            && text.utf8.first.map(ASCII.isDigit) == false
    }

    /// The name with `_` for what no variable's name has.
    static func allowedName(_ text: String) -> String {
        let name = String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        return isName(name) ? name : "_" + name
    }
}
