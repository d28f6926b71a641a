import Codecs

/// Variables in the syntax of other programs, which a policy file doesn't substitute.
enum ForeignVariable {
    static let hint = "write \"${NAME}\" with the name of the variable, or \"${file:path}\""

    /// The text around the name: of a shell (`$NAME`, `$(NAME)`), PowerShell (`$env:NAME`), LiteLLM
    /// (`os.environ/NAME`), Bifrost (`env.NAME`), opencode (`{env:NAME}`), Node, Perl, Python and Ruby code, or a
    /// template (`{{NAME}}`, `%NAME%`). Sources: each program's documentation of its configuration.
    private static let forms = [
        ("$$", ""), ("$ENV{", "}"), ("#{", "}"), ("[[", "]]"), ("{%", "%}"), ("secrets.", ""), ("vars.", ""), ("env!", ""),
        ("${{", "}}"), ("ENV.", ""), ("ENV:", ""), ("environ.", ""), ("!ENV ", ""), ("!env ", ""),
        ("$(", ")"), ("$env:", ""), ("$", ""), ("os.environ/", ""), ("os.environ[", "]"), ("os.getenv(", ")"), ("process.env.", ""),
        ("env.", ""), ("env:", ""), ("env/", ""), ("env(", ")"), ("ENV[", "]"), ("{env:", "}"), ("{env.", "}"), ("{$", "}"), ("{", "}"),
        ("{{", "}}"), ("%", "%"), ("%env(", ")%"), ("<", ">"), ("@", "@"),
    ]
    /// What precedes a name inside of a template: `{{ .Env.NAME }}`, `{{ secrets.NAME }}`.
    private static let prefixes = [".Env.", ".Values.", "env.", "secrets.", "vars.", ".", "$", "env:", "env ", "\"", "'"]

    /// Whether a text is such a variable: its form with a name in it. A name alone counts if it looks like that of a
    /// secret's variable: `OPENAI_API_KEY`.
    static func isOne(_ text: String) -> Bool {
        if isVariableOfSecret(text[...]) || isMarkedName(text) { return true }
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

    /// Whether a text is only the name of a variable in upper case with marks before it, and perhaps after it: `@NAME`.
    private static func isMarkedName(_ text: String) -> Bool {
        func isMark(_ character: Character) -> Bool { !character.isLetter && !character.isNumber && character != "_" && character != "-" }
        let name = text.drop(while: isMark)
        let end = name.lastIndex { !isMark($0) } ?? name.startIndex
        guard name.startIndex != text.startIndex, !name.isEmpty else { return false }
        return name[...end].utf8.allSatisfy { 0x41...0x5A ~= $0 || ASCII.isDigit($0) || $0 == UInt8(ascii: "_") } && isName(name[...end])
    }

    /// Whether a text names a file or an entry of a secret store: `file:/run/secrets/key`, `vault:secret/data#key`,
    /// `op://vault/item/key`.
    static func isReferenceToStore(_ text: String) -> Bool {
        guard let colon = text.firstIndex(of: ":") else { return false }
        let (scheme, path) = (text[..<colon], text[colon...].dropFirst())
        return scheme.utf8.count > 1 && scheme.utf8.allSatisfy { ASCII.isLetter($0) || $0 == UInt8(ascii: "-") }
            && path.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "#") } && !path.contains(":")
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
