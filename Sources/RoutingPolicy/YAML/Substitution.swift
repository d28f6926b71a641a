import Codecs
import ConfigTree
internal import Crypto

/// Substitutes variables and files in scalar values: `${NAME}`, `${NAME:-default}`, `${file:path}`. `$${` is a literal
/// `${`. It works on parsed scalars, so a value never changes the document's structure.
struct Substitution {
    static let maxFileBytes = 64 << 10

    let source: any PolicySource
    /// The directory of relative paths in `${file:…}`. It is empty or ends with `/`.
    let directory: String
    private(set) var issues: [ConfigIssue] = []

    init(source: any PolicySource, directory: String) {
        self.source = source
        self.directory = directory
    }

    mutating func scalar(_ text: String, style: ConfigScalar.Style, at position: SourcePosition) -> ConfigScalar {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return ConfigScalar(text, style: style) }
        var result = ConfigScalar("", source: text, style: style)
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            result.text += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                result.text += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    return unresolved(result, at: position, "'${' is never closed", "write '${NAME}', or '$${' for a literal '${'")
                }
                guard substitute(rest[..<end].dropFirst(2), into: &result, at: position) else { return result }
                rest = rest[end...].dropFirst()
            } else {
                result.text += "$"
                rest = rest.dropFirst()
            }
        }
        result.text += rest
        return result
    }

    /// Substitutes one `${…}`. Returns false after an error.
    private mutating func substitute(_ reference: Substring, into result: inout ConfigScalar, at position: SourcePosition) -> Bool {
        if reference.hasPrefix("file:") {
            do {
                result.text += try file(String(reference.dropFirst(5)), at: position)
                return true
            } catch {
                result = unresolved(result, at: position, error.message, error.hint)
                return false
            }
        }
        let name = reference.prefix { $0 != ":" }
        let tail = reference.dropFirst(name.count)
        guard isVariableName(name), tail.isEmpty || tail.hasPrefix(":-"), !tail.contains("${") else {
            let hint =
                reference.hasPrefix("{")
                ? "'${{ … }}' is the syntax of a CI system: write \"${NAME}\" with the name of an environment variable"
                : "write '${NAME}', '${NAME:-default}' or '${file:path}', without nesting, or '$${' for a literal '${'"
            result = unresolved(result, at: position, "'${\(abbreviated(String(reference)))}' is not a valid variable", hint)
            return false
        }
        if let value = source.environment(String(name)), !value.isEmpty {
            result.text += value
        } else if tail.isEmpty {
            result.unset.append(String(name))
            result.isUnresolved = true
        } else {
            result.text += tail.dropFirst(2)
        }
        return true
    }

    private struct FileProblem: Error {
        var message: String
        var hint: String
    }

    private mutating func file(_ name: String, at position: SourcePosition) throws(FileProblem) -> String {
        guard !name.isEmpty else { throw FileProblem(message: "'${file:}' has no path", hint: "write '${file:path}'") }
        guard source.followsFiles else { return placeholder(name, at: position) }
        let path = name.hasPrefix("/") ? name : directory + name
        var bytes: [UInt8]
        do {
            bytes = try source.read(path, limit: Substitution.maxFileBytes)
        } catch {
            let hint =
                name.hasPrefix("/")
                ? "create it, or correct the path"
                : "create it, or correct the path, which is relative to the file that contains the reference"
            let shown = isFilePath(name) ? path : "<secret>"
            throw FileProblem(message: "file '\(shown)' \(error.reason(limit: Substitution.maxFileBytes))", hint: hint)
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw FileProblem(message: "file '\(path)' is not UTF-8 text", hint: "write only the value into it, as plain text")
        }
        return text
    }

    /// A placeholder for a file's content. It is valid as a secret and as a SHA-256 digest, and differs for each file.
    private mutating func placeholder(_ name: String, at position: SourcePosition) -> String {
        issues.append(
            ConfigIssue(
                .warning, at: position, "file '\(abbreviated(name))' is not read here",
                hint: "run 'llm-router check' on the machine that has the file"))
        return Hex.encoded(SHA256.hash(data: Array(name.utf8)))
    }

    private mutating func unresolved(_ scalar: ConfigScalar, at position: SourcePosition, _ message: String, _ hint: String) -> ConfigScalar
    {
        issues.append(ConfigIssue(at: position, message, hint: hint))
        return ConfigScalar("", source: scalar.source, style: scalar.style, isUnresolved: true)
    }
}

/// Whether a text in `${file:…}` is the path of a file, and not the secret itself: it has a folder or an ending, or
/// is an ordinary name in lower case.
func isFilePath(_ path: some StringProtocol) -> Bool {
    path.contains("/") || path.contains(".") || path.utf8.allSatisfy { 0x61...0x7A ~= $0 || $0 == 0x5F || $0 == 0x2D }
}

/// Whether a text can be the name of an environment variable in `${…}`.
func isVariableName(_ name: Substring) -> Bool {
    guard let first = name.utf8.first, !ASCII.isDigit(first) else { return false }
    return name.utf8.allSatisfy { $0 == UInt8(ascii: "_") || ASCII.isDigit($0) || ASCII.isLetter($0) }
}
