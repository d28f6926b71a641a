import Codecs
package import ConfigTree

/// The variables of a file in the form of `.env`: a line `NAME=VALUE` for each.
///
/// Blank lines and lines that begin with `#` are skipped, and `export ` before a name is. A value without quotes ends
/// at the end of its line, or before a `#` behind a blank. A value in quotes may have several lines. Within double
/// quotes, `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are escapes. `$` has no meaning: a value is never made from other
/// variables.
package struct EnvironmentFile: Sendable {
    /// Which file is read.
    package enum Choice: Sendable, Equatable {
        case none
        /// `.env` in the folder of the policy, if there is one. Other programs may have written it for themselves, so a
        /// mistake in it is only a warning.
        case besidePolicy
        /// The file at a path, which must exist.
        case file(String)
    }

    /// Of a name that is defined twice, the last value counts.
    package private(set) var variables: [String: String] = [:]
    /// They don't quote the file, which is full of secrets.
    package private(set) var issues: [ConfigIssue] = []
    private let path: String
    private let severity: ConfigIssue.Severity

    /// Reads the file as it is now.
    ///
    /// - Parameter policy: the path of the policy file.
    package init(_ choice: Choice, of policy: String, source: some PolicySource) {
        switch choice {
        case .none: (path, severity) = ("", .error)
        case .besidePolicy: (path, severity) = ((policy.lastIndex(of: "/").map { String(policy[...$0]) } ?? "") + ".env", .warning)
        case .file(let file): (path, severity) = (file, .error)
        }
        guard choice != .none else { return }
        do throws(PolicySourceError) {
            read(try source.read(path, limit: PolicyFiles.maxFileBytes))
        } catch {
            guard choice != .besidePolicy || error != .notFound else { return }
            let reason = error.reason(limit: PolicyFiles.maxFileBytes)
            issues.append(ConfigIssue(severity, at: place(1), "file '\(path)' \(reason)", hint: "check the path and its permissions"))
        }
    }

    private func place(_ line: Int) -> SourcePosition { SourcePosition(file: path, line: line, column: 1) }

    private mutating func read(_ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            issues.append(ConfigIssue(severity, at: place(1), "the file is not UTF-8 text", hint: "save the file as UTF-8"))
            return
        }
        // Swift takes CR LF for one character, which is a line break like LF.
        var rest = text[...].trimmingPrefix("\u{FEFF}")
        var line = 1
        while !rest.isEmpty {
            let before = rest
            do throws(Mistake) {
                if let (name, value) = try Self.variable(&rest) { variables[String(name)] = value }
            } catch {
                issues.append(ConfigIssue(severity, at: place(line), error.message, hint: error.hint))
                rest = rest.drop { !$0.isNewline }
            }
            rest = rest.dropFirst()
            line += before[..<rest.startIndex].count { $0.isNewline }
        }
    }

    private struct Mistake: Error {
        var message: String
        var hint: String
    }

    /// Takes a line without its line break, or several lines if the value has them. nil for a line without a variable.
    private static func variable(_ rest: inout Substring) throws(Mistake) -> (name: Substring, value: String)? {
        skipBlanks(&rest)
        if rest.hasPrefix("export ") {
            rest = rest.dropFirst(7)
            skipBlanks(&rest)
        }
        if isEndOfLine(rest) {
            rest = rest.drop { !$0.isNewline }
            return nil
        }
        let name = rest.prefix { $0 != "=" && !isBlank($0) && !$0.isNewline }
        rest = rest[name.endIndex...]
        skipBlanks(&rest)
        guard isVariableName(name), rest.first == "=" else {
            throw Mistake(message: "this line is not 'NAME=VALUE'", hint: "write one variable on a line, or '#' before a comment")
        }
        rest = rest.dropFirst()
        skipBlanks(&rest)
        guard let quote = rest.first, quote == "'" || quote == "\"" else { return (name, unquoted(&rest)) }
        let value = try quoted(&rest, by: quote, name: name)
        skipBlanks(&rest)
        guard isEndOfLine(rest) else {
            throw Mistake(
                message: "the value of '\(abbreviated(String(name)))' goes on behind its closing quote",
                hint: "put the whole value in one pair of quotes")
        }
        rest = rest.drop { !$0.isNewline }
        return (name, value)
    }

    private static func unquoted(_ rest: inout Substring) -> String {
        let line = rest.prefix { !$0.isNewline }
        rest = rest[line.endIndex...]
        var value = line
        if let comment = zip(line.indices, line.indices.dropFirst()).first(where: { isBlank(line[$0]) && line[$1] == "#" })?.0 {
            value = line[..<comment]
        }
        while let last = value.last, isBlank(last) { value.removeLast() }
        return String(value)
    }

    private static func quoted(_ rest: inout Substring, by quote: Character, name: Substring) throws(Mistake) -> String {
        var value = ""
        var next = rest.dropFirst()
        while let character = next.popFirst() {
            if character == quote {
                rest = next
                return value
            }
            guard character == "\\", quote == "\"", let escaped = next.first, let meaning = escapes[escaped] else {
                value.append(character)
                continue
            }
            next.removeFirst()
            value.append(meaning)
        }
        throw Mistake(
            message: "the value of '\(abbreviated(String(name)))' has no closing \(quote)",
            hint: "close it, or put a value that contains quotes into the other kind of quotes")
    }

    private static let escapes: [Character: Character] = ["n": "\n", "r": "\r", "t": "\t", "\"": "\"", "\\": "\\", "$": "$"]

    private static func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }

    private static func isEndOfLine(_ rest: Substring) -> Bool { rest.first.map { $0.isNewline || $0 == "#" } ?? true }

    private static func skipBlanks(_ rest: inout Substring) { rest = rest.drop(while: isBlank) }
}

/// A source with further variables. Those of the source itself come first, unless they are empty.
struct ExtendedSource<Base: PolicySource>: PolicySource {
    let base: Base
    let variables: [String: String]

    func read(_ path: String, limit: Int) throws(PolicySourceError) -> [UInt8] { try base.read(path, limit: limit) }

    func environment(_ name: String) -> String? {
        base.environment(name).flatMap { $0.isEmpty ? nil : $0 } ?? variables[name]
    }

    func glob(_ pattern: String) -> [String] { base.glob(pattern) }

    func problem(writing path: String) -> String? { base.problem(writing: path) }

    func problem(keepingFilesIn folder: String) -> String? { base.problem(keepingFilesIn: folder) }

    func problem(listing folder: String) -> String? { base.problem(listing: folder) }

    var followsFiles: Bool { base.followsFiles }
}
