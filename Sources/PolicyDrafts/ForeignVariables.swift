internal import Codecs

/// The variables that take the place of the secrets of another program's file, and of what its variables are called.
struct ForeignVariables {
    /// The secrets that stand in the file, by what has them, with their variables. They are only compared.
    private var literals: [String: [(text: String, variable: String)]] = [:]
    /// The names that the files use themselves, and those that were given out.
    private var taken: Set<String>
    /// What must be said about the names of variables, one for each.
    private(set) var comments: [String] = []

    /// - Parameters:
    ///   - root: the files. A name in them is never given to another secret.
    ///   - others: further names that have a secret.
    init(of root: ForeignMapping, others: [String] = []) {
        taken = Set(root.texts.flatMap(ForeignSecret.possibleNames) + others)
    }

    /// A variable, or the text itself if it is none. For what is no secret.
    mutating func value(_ text: String) -> DraftValue {
        noteName(text)
        if case .variable(let name) = ForeignSecret(text) { return .variable(name) }
        return .text(text)
    }

    /// The variable for a secret, with a comment if the secret stands in the file.
    ///
    /// - Parameter usual: the variable that usually has it; nil for one that is named after its owner, such as the
    ///   secret for a server that is not the service's own.
    mutating func key(_ text: String, of owner: String, usual: String? = nil) -> (value: DraftValue, comment: String?) {
        noteName(text)
        switch ForeignSecret(text) {
        case .variable(let name): return (.variable(name), nil)
        case .literal(let secret):
            let name = variable(for: secret, of: owner, kind: "API_KEY", usual: usual)
            return (.variable(name), "The file has the key itself. Put it into the variable \(name), for example in '.env'.")
        }
    }

    /// The variable for a key that the file doesn't name.
    mutating func key(of owner: String) -> String { variable(for: "", of: owner, kind: "API_KEY", usual: nil) }

    /// What a variable is called after: the service, with the host and the port of a server that is not its own.
    static func owner(_ name: String, at address: String?) -> String {
        address.flatMap { authority(of: $0).split(separator: "@").last }.map { "\(name)-\($0)" } ?? name
    }

    private static func authority(of address: String) -> Substring {
        (address.firstRange(of: "://").map { address[$0.upperBound...] } ?? "").prefix { !"/?".contains($0) }
    }

    /// The value of a header field, which may be a secret. What is a variable already, with or without a word such as
    /// `Bearer` before it, stays.
    private mutating func header(_ name: String, _ text: String) -> DraftValue {
        noteName(text)
        let words = text.split(separator: " ")
        if words.count <= 2, let last = words.last, case .variable(let variable) = ForeignSecret(String(last)) {
            return .template((words.dropLast().map(String.init) + ["${\(variable)}"]).joined(separator: " "))
        }
        return .variable(variable(for: text, of: name, kind: "HEADER", usual: nil))
    }

    /// Sets the header fields of a provider. What can't be one is named in a comment.
    mutating func setHeaders(_ fields: ForeignMapping?, of provider: inout DraftEntry) {
        let isOpenRouter = provider["plugin"] == .text("openrouter")
        var headers: [DraftField] = [], others: [String] = []
        for (name, node) in fields?.rest ?? [] {
            guard let text = node.foreignText, !name.isEmpty, name.utf8.allSatisfy(Self.isTokenByte) else {
                others.append(name)
                continue
            }
            switch name.lowercased() {
            case "http-referer" where isOpenRouter: provider.set("app_url", value(text))
            case "x-title" where isOpenRouter: provider.set("app_title", value(text))
            default: headers.append(DraftField(name, header(name, text)))
            }
        }
        if !headers.isEmpty {
            provider.set("headers", .mapping(headers))
            provider.comments.append("The values of 'headers' are variables now, because they may be secrets.")
        }
        if let words = ImportWords.leftOver(others, of: "headers") { provider.comments.append(words) }
    }

    /// Source: RFC 9110, section 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }

    /// The address of a server. A user, a password or a query in it may be a secret.
    mutating func address(_ text: String, of owner: String) -> (value: DraftValue, comment: String?) {
        noteName(text)
        if case .variable(let name) = ForeignSecret(text) { return (.variable(name), nil) }
        guard Self.authority(of: text).contains("@") || text.contains("?") else {
            return (.template(text.hasSuffix("/") ? String(text.dropLast()) : text), nil)
        }
        let name = variable(for: text, of: owner, kind: "BASE_URL", usual: nil)
        return (.variable(name), "Put the address into the variable \(name), without what may be a secret: that goes into 'headers'.")
    }

    /// The same text of the same owner has the same variable.
    private mutating func variable(for text: String, of owner: String, kind: String, usual: String?) -> String {
        let place = "\(owner) \(kind) \(usual ?? "")"
        if let known = literals[place]?.first(where: { $0.text == text }) { return known.variable }
        let variable = freeName("\(owner)-", kind, usual)
        literals[place, default: []].append((text, variable))
        return variable
    }

    /// A name that nothing has yet. That of a service only if it is the usual one.
    private mutating func freeName(_ owner: String, _ kind: String, _ usual: String?) -> String {
        if let usual, taken.insert(usual).inserted { return usual }
        var number = 1
        while true {
            let name = ForeignSecret.allowedName("\(owner)\(number == 1 ? "" : "\(number)-")\(kind)".uppercased())
            if !KnownService.variables.contains(name), taken.insert(name).inserted { return name }
            number += 1
        }
    }

    /// Every variable must come by here.
    mutating func noteName(_ text: String) {
        guard let name = ForeignSecret.renamedVariable(text) else { return }
        let comment = "The variable '\(ImportWords.printable(name))' is called \(ForeignSecret.allowedName(name)) here."
        if !comments.contains(comment) { comments.append(comment) }
    }
}
