internal import Codecs

/// A secret of another program's file, as a policy refers to it. The secret itself is never written.
enum ForeignSecret {
    /// The name of the variable that holds it.
    case variable(String)
    case literal(String)

    /// `os.environ/NAME` is LiteLLM's form, `${NAME}` that of the others.
    init(_ text: String) {
        if text.hasPrefix("os.environ/") {
            self = .variable(String(text.dropFirst("os.environ/".count)))
        } else if text.hasPrefix("${"), text.hasSuffix("}"), case let name = text.dropFirst(2).dropLast(), Self.isName(name) {
            self = .variable(String(name))
        } else {
            self = .literal(text)
        }
    }

    private static func isName(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "_") }
            && text.utf8.first.map(ASCII.isDigit) == false
    }

    /// A name for a variable, made of the name of a provider: `AZURE_2_API_KEY`.
    static func variableName(of provider: String) -> String {
        let text = String(provider.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }) + "_API_KEY"
        return isName(text) ? text : "_" + text
    }
}
