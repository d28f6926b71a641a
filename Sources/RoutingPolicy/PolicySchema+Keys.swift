internal import Crypto
import ConfigTree
import ProviderKit

/// `keys`.
extension PolicySchema {
    mutating func readKeys(_ node: ConfigNode?, models: [ModelDefinition], routes: [RouteDefinition]) -> [KeyDefinition] {
        var digests: [[UInt8]: ConfigText] = [:]
        var keys: [KeyDefinition] = []
        for entry in entries(of: node) where checkName(entry.key, of: "key") {
            guard let key = key(entry, models: models, routes: routes) else { continue }
            if let other = digests.updateValue(entry.key, forKey: key.digest) {
                let message = "keys '\(other.text)' and '\(key.name)' have the same secret; the other is at \(other.position)"
                report(ConfigIssue(at: entry.key.position, message, hint: "give each key a secret of its own"))
            }
            keys.append(key)
        }
        return keys
    }

    private mutating func key(_ entry: ConfigEntry, models: [ModelDefinition], routes: [RouteDefinition]) -> KeyDefinition? {
        var fields = FieldReader(entry.value, of: entry.key)
        let digest = readDigest(&fields, of: entry.key)
        let isAdmin = fields.bool("admin") ?? false
        let scope = readScope(&fields, models: models, routes: routes)
        let endpoints = fields.words("endpoints", of: ["chat", "models"]).map(Set.init)
        finish(&fields, section: "keys", reserved: ["budget"])
        return digest.map { KeyDefinition(name: entry.key.text, digest: $0, isAdmin: isAdmin, models: scope, endpoints: endpoints) }
    }

    /// nil with an issue, or for want of a variable.
    private mutating func readDigest(_ fields: inout FieldReader, of name: ConfigText) -> [UInt8]? {
        let secret = fields.secret("secret")
        let hex = fields.string("sha256")
        guard let node = fields.node("secret") else {
            guard let node = fields.node("sha256") else {
                let hint = "add 'secret: ${NAME}' or 'sha256: …', the SHA-256 of the secret in hexadecimal"
                fields.report(ConfigIssue(at: name.position, "key '\(name.text)' has no secret", hint: hint))
                return nil
            }
            fields.markSecret(node)
            guard let hex, !node.isUnresolved else { return nil }
            if let digest = bytes(ofHex: hex) { return digest }
            fields.report("sha256", "'sha256' takes 64 hexadecimal digits", hint: "printf %s \"$SECRET\" | sha256sum")
            return nil
        }
        if let both = fields.entry("sha256") {
            fields.report(ConfigIssue(at: both.key.position, "key '\(name.text)' has both 'secret' and 'sha256'", hint: "keep one of the two"))
        }
        guard let secret, !node.isUnresolved else { return nil }
        return Array(SHA256.hash(data: Array(secret.reveal().utf8)))
    }

    private mutating func readScope(_ fields: inout FieldReader, models: [ModelDefinition], routes: [RouteDefinition]) -> ModelScope? {
        guard let patterns = fields.texts("models") else { return nil }
        if patterns.isEmpty, fields.node("models")?.isScalar == false {
            fields.report("models", "'models' is empty, so this key could reach nothing", hint: "remove the line to allow all models, or name some")
        }
        guard !patterns.contains(where: { $0.text == "*" }) else { return nil }
        var scope = ModelScope(models: [], routes: [])
        for pattern in patterns where !pattern.isUnresolved {
            let part = scopePart(pattern, models: models, routes: routes)
            scope.models.formUnion(part.models)
            scope.routes.formUnion(part.routes)
        }
        return scope
    }

    /// What one entry of a key's `models` stands for. Keys tend to share these, so each is worked out once.
    private mutating func scopePart(_ pattern: ConfigText, models: [ModelDefinition], routes: [RouteDefinition]) -> ModelScope {
        let text = pattern.text
        var scope = scopes[text] ?? ModelScope(models: [], routes: [])
        if scopes[text] == nil {
            if text.hasPrefix("tag:") {
                let tag = String(text.dropFirst(4))
                scope.models = Set(models.indices.filter { models[$0].tags.contains(tag) })
            } else if let glob = Glob(text) {
                let providers = names.providerNames
                scope.models = Set(models.indices.filter { index in
                    let model = models[index]
                    return glob.matches(model.name) || glob.matches(model.key) || glob.matches("\(providers[model.provider] ?? "")/\(model.name)")
                })
                scope.routes = Set(routes.indices.filter { glob.matches(routes[$0].name) })
            } else {
                scope.models = Set(names.models[text] ?? names.qualified[text].map { [$0] } ?? [])
                scope.routes = Set(names.routes[text].map { [$0] } ?? [])
            }
            scopes[text] = scope
        }
        if scope.models.isEmpty, scope.routes.isEmpty, names.broken.isEmpty || !names.isBroken(text) && !isPattern(text) { reportEmpty(pattern) }
        return scope
    }

    private mutating func reportEmpty(_ pattern: ConfigText) {
        let text = pattern.text
        if isPattern(text) {
            report(ConfigIssue(.warning, at: pattern.position, "'\(abbreviated(pattern.source))' matches no model and no route", hint: "check its spelling"))
        } else {
            let suggestion = names.suggestion(forStep: text)
            let hint = suggestion.isEmpty ? "name a model or a route; 'tag:fast' and globs such as 'openrouter/*' work too" : nil
            report(ConfigIssue(at: pattern.position, "there is no model or route '\(abbreviated(pattern.source))'\(suggestion)", hint: hint))
        }
    }

    private func isPattern(_ text: String) -> Bool {
        text.hasPrefix("tag:") || Glob(text) != nil
    }

    private func bytes(ofHex text: String) -> [UInt8]? {
        let digits = text.utf8.compactMap { byte -> UInt8? in
            switch byte {
            case 0x30...0x39: byte - 0x30
            case 0x41...0x46: byte - 0x37
            case 0x61...0x66: byte - 0x57
            default: nil
            }
        }
        guard digits.count == 64, text.utf8.count == 64 else { return nil }
        return stride(from: 0, to: 64, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

/// A pattern of names in which `*` stands for any characters.
struct Glob {
    private let parts: [[UInt8]]

    /// nil for a text without `*`.
    init?(_ text: String) {
        guard text.contains("*") else { return nil }
        parts = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
    }

    func matches(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = parts.first, let last = parts.last, bytes.count >= first.count + last.count, bytes.starts(with: first) else { return false }
        guard bytes.suffix(last.count) == last[...] else { return false }
        var rest = bytes[first.count..<(bytes.count - last.count)]
        // Each part at its first place: what is left for the next is then the longest.
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }
}
