import Codecs

/// Variables in the syntax of other programs, which a policy file doesn't substitute.
enum ForeignVariable {
    static let hint = "write \"${NAME}\" with the name of the variable, or \"${file:path}\""

    /// The text around the name: of a shell (`$NAME`, `$(NAME)`), PowerShell (`$env:NAME`), LiteLLM
    /// (`os.environ/NAME`), Bifrost (`env.NAME`), opencode (`{env:NAME}`), Node, Python and Ruby code, or a template
    /// (`{{NAME}}`, `%NAME%`). Sources: each program's documentation of its configuration.
    private static let forms = [
        ("$(", ")"), ("$env:", ""), ("$", ""), ("os.environ/", ""), ("os.environ[", "]"), ("os.getenv(", ")"), ("process.env.", ""),
        ("env.", ""), ("env:", ""), ("env/", ""), ("env(", ")"), ("ENV[", "]"), ("{env:", "}"), ("{env.", "}"), ("{$", "}"), ("{", "}"),
        ("{{", "}}"), ("%", "%"), ("%env(", ")%"), ("<", ">"), ("@", "@"),
    ]
    /// What precedes a name inside of a template: `{{ .Env.NAME }}`, `{{ secrets.NAME }}`.
    private static let prefixes = [".Env.", "env.", "secrets.", "vars.", ".", "$", "env:", "\"", "'"]

    /// Whether a text is such a variable: its form with a name in it. A name alone counts if it looks like that of a
    /// secret's variable: `OPENAI_API_KEY`.
    static func isOne(_ text: String) -> Bool {
        if isVariableOfSecret(text[...]) { return true }
        return forms.contains { start, end in
            guard text.hasPrefix(start), text.hasSuffix(end), text.utf8.count > start.utf8.count + end.utf8.count else { return false }
            var name = text.dropFirst(start.count).dropLast(end.count).trimmingBlanks()
            if !end.isEmpty {
                for prefix in prefixes where name.hasPrefix(prefix) { name = name.dropFirst(prefix.count) }
                while name.last == "\"" || name.last == "'" { name.removeLast() }
            }
            return isName(name)
        }
    }

    private static func isVariableOfSecret(_ text: Substring) -> Bool {
        let words = text.split(separator: "_", omittingEmptySubsequences: false)
        return words.count > 1 && isName(text) && !text.utf8.contains { 0x61...0x7A ~= $0 }
            && words.contains { ["KEY", "APIKEY", "TOKEN", "SECRET", "PASSWORD", "AUTH"].contains($0) }
    }

    private static func isName(_ name: Substring) -> Bool {
        name.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
            && name.utf8.first.map { !ASCII.isDigit($0) && $0 != UInt8(ascii: "-") } ?? false
    }
}
