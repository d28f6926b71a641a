import Codecs
public import ConfigTree

extension FieldReader {
    /// Reads a secret, such as a password, which must consist of visible ASCII characters; nil if it is absent or
    /// invalid. Its value is masked in all issues.
    ///
    /// - Parameters:
    ///   - key: the key to read.
    ///   - required: whether an absent key is an error.
    public mutating func secret(_ key: String, required: Bool = false) -> Secret? {
        declare(key, as: .other("secret"))
        describe(key, "the account's key; the provider is off while its variable is unset")
        if let node = node(key) { markSecret(node) }
        guard let text = text(key, required: required), let node = node(key) else { return nil }
        return secret(key, text, at: node.position)
    }

    /// Reads one secret or a list of secrets, such as API keys. Invalid ones are reported and left out, and so are
    /// those whose variables are unset, as long as one is left. Empty if the key is absent or nothing is valid. The
    /// values are masked in all issues.
    ///
    /// - Parameters:
    ///   - key: the key to read.
    ///   - required: whether an absent key is an error.
    public mutating func secrets(_ key: String, required: Bool = false) -> [Secret] {
        declare(key, as: .other("secret or list of secrets"))
        describe(key, "the account's key, or several that rotate; the provider is off while their variables are unset")
        guard case .sequence(let nodes)? = node(key)?.content else { return secret(key, required: required).map { [$0] } ?? [] }
        for node in nodes { markSecret(node) }
        if nodes.isEmpty { report(key, "'\(key)' is an empty list", hint: "write the secret, preferably as a variable: '\(key): ${NAME}'") }
        if nodes.count > maxKeys { report(key, "'\(key)' has more than \(maxKeys) items") }
        var secrets: [Secret] = [], unset: [ConfigIssue] = []
        for (index, node) in nodes.enumerated() {
            guard case .scalar(let scalar) = node.content, !scalar.isNull else {
                report(ConfigIssue(at: node.position, "'\(key)' takes a list of secrets, but one of its items is \(node.displayText)"))
                continue
            }
            if scalar.isUnresolved {
                let names = scalar.unset.map { "'\($0)'" }.joined(separator: ", ")
                guard !names.isEmpty else { continue }
                unset.append(
                    ConfigIssue(
                        .warning, at: node.position,
                        "key \(index + 1) of \(nodes.count) is left out: \(names) \(scalar.unset.count == 1 ? "is" : "are") unset or empty",
                        hint: "set it in the environment and restart the router, or remove it from the list"))
            } else if let secret = secret(key, scalar.text, at: node.position) {
                guard secrets.contains(secret) else {
                    secrets.append(secret)
                    continue
                }
                report(
                    ConfigIssue(
                        .warning, at: node.position, "key \(index + 1) of \(nodes.count) is the same as an earlier one, and is left out",
                        hint: "check that the right variable is named"))
            }
        }
        // Without any key the provider is off, which is reported elsewhere.
        if secrets.isEmpty, !unset.isEmpty, unset.count == nodes.count { return [Secret("unset")] }
        for issue in unset { report(issue) }
        return secrets
    }

    private mutating func secret(_ key: String, _ text: String, at position: SourcePosition) -> Secret? {
        guard !text.isEmpty else {
            report(
                ConfigIssue(
                    at: position, "'\(key)' is empty",
                    hint: "write the secret, preferably as a variable: '\(key): ${NAME}', or remove the line"))
            return nil
        }
        guard text.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
            let hasScheme = ["bearer ", "basic ", "token "].contains(where: text.lowercased().hasPrefix)
            report(
                ConfigIssue(
                    at: position, "'\(key)' contains a space, a line break or another character that is not allowed in a secret",
                    hint: ForeignVariable.isOne(text)
                        ? "it looks like a variable in the syntax of another program: \(ForeignVariable.hint)"
                        : hasScheme
                            ? "write the secret without '\(text.prefix { $0 != " " })': only the secret itself belongs here"
                            : "check that exactly the secret was copied"))
            return nil
        }
        warnAboutText(of: key, text, at: position)
        return Secret(text)
    }

    /// Reads the path of a file that the router itself reads while it runs; nil if it is absent or invalid.
    public mutating func filePath(_ key: String) -> String? {
        declare(key, as: .other("path of a file"))
        guard let path = string(key) else { return nil }
        guard path.hasPrefix("/") || node(key)?.isUnresolved == true else {
            report(key, "'\(key)' takes an absolute path, which begins with '/'")
            return nil
        }
        return path
    }

    /// Warns if a secret is not one: a variable in the syntax of another program, or quotes that a file of variables
    /// left.
    private mutating func warnAboutText(of key: String, _ text: String, at position: SourcePosition) {
        if ForeignVariable.isOne(text) || ForeignVariable.isReferenceToStore(text) {
            report(
                ConfigIssue(
                    .warning, at: position, "'\(key)' looks like a variable in the syntax of another program, and is sent as it is",
                    hint: ForeignVariable.hint))
        } else if Placeholder.isOne(text) {
            report(
                ConfigIssue(
                    .warning, at: position, "'\(key)' looks like a placeholder for a secret, and is sent as it is", hint: Placeholder.hint))
        } else if text.utf8.count > 2, text.first == text.last, text.first == "\"" || text.first == "'" {
            report(
                ConfigIssue(
                    .warning, at: position, "'\(key)' begins and ends with a quotation mark, which is sent too",
                    hint: "remove the quotation marks where the variable is set"))
        }
    }

    /// Reads an address of the form `https://host:port/path`, without a user, a query or a fragment; nil if it is
    /// absent or invalid.
    ///
    /// - Parameters:
    ///   - key: the key to read.
    ///   - required: whether an absent key is an error.
    ///   - defaultURL: the address that applies if the key is absent; nil if there is none.
    public mutating func baseURL(_ key: String, required: Bool = false, default defaultURL: BaseURL? = nil) -> BaseURL? {
        declare(key, as: .address)
        describe(key, "the address of its API; the provider is off while its variable is unset")
        guard let entry = entry(key) else {
            if required { _ = string(key, required: true) }
            return defaultURL
        }
        guard let text = string(key) else { return nil }
        if case .scalar(let scalar) = entry.value.content, scalar.isUnresolved {
            return BaseURL(origin: Origin(isTLS: true, host: "unset.invalid", port: 443), path: "")
        }
        do throws(BaseURLError) {
            let url = try BaseURL(parsing: text)
            if let endpoint = endpoint(atEndOf: url.path) {
                report(
                    ConfigIssue(
                        .warning, at: entry.value.position, "'\(key)' ends with the path of an endpoint, which is added to it once more",
                        hint: "remove '\(endpoint)' at the end"))
            }
            if let version = url.repeatedVersion {
                report(
                    ConfigIssue(
                        .warning, at: entry.value.position, "'\(key)' has '/\(version)' twice",
                        hint: "remove one of them, unless the server's address really has both"))
            }
            return url
        } catch {
            let isForeign = ForeignVariable.isOne(text)
            report(key, "'\(key)' \(error.message)", hint: isForeign ? ForeignVariable.hint : error.hint)
            return nil
        }
    }

    /// Warns if an address ends where a server has another API than the plugin's.
    ///
    /// - Parameters:
    ///   - key: the key of the address.
    ///   - ending: the end of its path.
    ///   - owner: whose API is elsewhere, and where: `Ollama serves its own API below '/api'`.
    public mutating func warn(_ key: String, _ url: BaseURL, endingWith ending: String, butThere owner: String) {
        guard let node = node(key), !node.isUnresolved, url.path.hasSuffix(ending) else { return }
        report(
            ConfigIssue(
                .warning, at: node.position, "'\(key)' ends with '\(ending)', but \(owner)",
                hint: "remove '\(ending)'; or use 'plugin: openai-compatible'"))
    }

    /// Reads the header fields to send with each request, in the order of the file; nil if the key is absent or not a
    /// mapping. Invalid fields are reported and left out. The values are treated as secrets.
    public mutating func headers(_ key: String) -> [HTTPField]? {
        declare(key, as: .other("header fields"))
        describe(key, "header fields to send with each request; their values are treated as secrets")
        if let node = node(key) { markSecret(node) }
        guard let pairs = stringMap(key) else { return nil }
        var names: Set<String> = []
        return pairs.compactMap { name, value in
            guard !name.text.isEmpty, name.text.utf8.allSatisfy(isTokenByte) else {
                // The name is not shown, because it may contain the value.
                report(
                    ConfigIssue(
                        at: name.position, "this is not a valid header name",
                        hint: "write a name of letters, digits and '-', then ': ' and the value"))
                return nil
            }
            let lowercased = name.text.lowercased()
            guard !framing.contains(lowercased) else {
                report(ConfigIssue(at: name.position, "the router sets '\(name.text)' itself", hint: "remove the line"))
                return nil
            }
            guard names.insert(lowercased).inserted else {
                report(
                    ConfigIssue(
                        at: name.position, "header '\(name.text)' is given twice",
                        hint: "keep one of them; header names are not case-sensitive"))
                return nil
            }
            // `Bearer $TOKEN`: the scheme is no part of the variable.
            let last = value.text.split(separator: " ").last.map(String.init) ?? ""
            warnAboutText(of: name.text, last.isEmpty ? value.text : last, at: value.position)
            return HTTPField(name.text, Secret(value.text))
        }
    }
}

/// The header fields about the framing of a message or its connection, which the router sets.
private let framing: Set<String> = [
    "connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
]

/// Whether a byte may be part of a token, such as a header name. Source: RFC 9110, 5.6.2.
private func isTokenByte(_ byte: UInt8) -> Bool {
    ASCII.isLetter(byte) || ASCII.isDigit(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
}

/// The most keys of one provider.
private let maxKeys = 100

/// The path of an endpoint with which a path ends; nil if it ends with none.
private func endpoint(atEndOf path: String) -> String? {
    // Gemini's and Vertex's: `/models/gemini-2.5-pro:generateContent`.
    if let last = path.split(separator: "/").last, last.contains(":") {
        let start = path.firstRange(of: "/models/\(last)")?.lowerBound
        return start.map { String(path[$0...]) } ?? "/\(last)"
    }
    return endpoints.first(where: path.lowercased().hasSuffix)
}

/// The paths of endpoints, which a base URL may not end with.
private let endpoints = [
    "/chat/completions", "/chat/completion", "/completions", "/completion", "/complete", "/chat", "/embedding", "/responses", "/messages",
    "/embeddings", "/models", "/rerank", "/moderations",
    "/audio/transcriptions", "/audio/translations", "/audio/speech", "/images/generations", "/images/edits", "/api/chat", "/api/generate",
    "/api/tags",
]
