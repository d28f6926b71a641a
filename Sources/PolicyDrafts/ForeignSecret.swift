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

/// The variables that take the place of the secrets of another program's file, and of what its variables are called.
struct ForeignVariables {
    /// The secrets that stand in the file, by what has them. They are only compared.
    private var literals: [String: [String]] = [:]
    /// What must be said about the names of variables, one for each.
    private(set) var comments: [String] = []

    /// A variable, or the text itself if it is none. For what is no secret.
    mutating func value(_ text: String) -> DraftValue {
        noteName(text)
        if case .variable(let name) = ForeignSecret(text) { return .variable(name) }
        return .text(text)
    }

    /// The variable for a secret, with a comment if the secret stands in the file.
    ///
    /// - Parameter usual: the variable that usually has it; nil for one that is named after its owner.
    mutating func key(_ text: String, of owner: String, usual: String? = nil) -> (value: DraftValue, comment: String?) {
        noteName(text)
        switch ForeignSecret(text) {
        case .variable(let name): return (.variable(name), nil)
        case .literal(let secret):
            let name = variable(for: secret, of: owner, kind: "API_KEY", usual: usual)
            return (.variable(name), "The file has the key itself. Put it into the variable \(name), for example in '.env'.")
        }
    }

    /// The value of a header field, which may be a secret. What is a variable already, with or without a word such as
    /// `Bearer` before it, stays.
    mutating func header(_ name: String, _ text: String) -> DraftValue {
        noteName(text)
        let words = text.split(separator: " ")
        if words.count <= 2, let last = words.last, case .variable(let variable) = ForeignSecret(String(last)) {
            return .template((words.dropLast().map(String.init) + ["${\(variable)}"]).joined(separator: " "))
        }
        return .variable(variable(for: text, of: name, kind: "HEADER", usual: nil))
    }

    static let headersComment = "The values of 'headers' are variables now, because they may be secrets."

    /// The address of a server. A user, a password or a query in it may be a secret.
    mutating func address(_ text: String, of owner: String) -> (value: DraftValue, comment: String?) {
        noteName(text)
        if case .variable(let name) = ForeignSecret(text) { return (.variable(name), nil) }
        let authority = (text.firstRange(of: "://").map { text[$0.upperBound...] } ?? text[...]).prefix { $0 != "/" }
        guard authority.contains("@") || text.contains("?") else {
            return (.template(text.hasSuffix("/") ? String(text.dropLast()) : text), nil)
        }
        let name = variable(for: text, of: owner, kind: "BASE_URL", usual: nil)
        return (.variable(name), "Put the address into the variable \(name), without what may be a secret: that goes into 'headers'.")
    }

    /// The same text of the same owner has the same variable.
    private mutating func variable(for text: String, of owner: String, kind: String, usual: String?) -> String {
        let known = literals["\(owner) \(kind)", default: []]
        let index = known.firstIndex(of: text) ?? known.count
        if index == known.count { literals["\(owner) \(kind)", default: []].append(text) }
        if index == 0, let usual { return usual }
        return ForeignSecret.allowedName("\(owner)\(index == 0 ? "" : "-\(index + 1)")-\(kind)".uppercased())
    }

    /// Every variable must come by here.
    mutating func noteName(_ text: String) {
        guard let name = ForeignSecret.renamedVariable(text) else { return }
        let comment = "The variable '\(ImportWords.printable(name))' is called \(ForeignSecret.allowedName(name)) here."
        if !comments.contains(comment) { comments.append(comment) }
    }
}
