import Codecs
import ConfigTree
internal import Crypto
import ProviderKit

/// `keys`.
extension PolicySchema {
    struct ReadKey {
        var definition: KeyDefinition
        /// A hash of what it may reach; nil: all.
        var scopeDigest: [UInt8]?
    }

    mutating func readKeys(_ entries: [ConfigEntry], models: ModelIndex, routes: [RouteDefinition]) -> [ReadKey] {
        var scopes = KeyScopes(models: models, routes: routes, names: names)
        var digests: [[UInt8]: ConfigText] = [:]
        var keys: [ReadKey] = []
        for entry in entries where checkName(entry.key, of: "key") {
            guard let key = key(entry, &scopes) else {
                names.addBroken(key: entry.key.text)
                continue
            }
            if let other = digests.updateValue(entry.key, forKey: key.definition.digest) {
                let message = "keys '\(other.text)' and '\(entry.key.text)' have the same secret; the other is at \(other.position)"
                report(ConfigIssue(at: entry.key.position, message, hint: "give each key a secret of its own"))
            }
            keys.append(key)
        }
        return keys
    }

    private mutating func key(_ entry: ConfigEntry, _ scopes: inout KeyScopes) -> ReadKey? {
        var fields = FieldReader(entry.value, of: entry.key)
        PolicySchema.hideMisplaced(in: entry.value, &fields)
        let digest = readDigest(&fields, of: entry.key)
        let isAdmin = fields.bool("admin") ?? false
        let scope = readScope(&fields, &scopes)
        let endpoints = fields.words("endpoints", of: KeyOperation.allCases.map(\.rawValue)).map { Set($0.compactMap(KeyOperation.init)) }
        let limits = readLimits(&fields)
        let defaults = section("defaults", of: &fields, as: "keys.defaults") { fields, schema in
            let defaults = schema.readRequestFields(&fields)
            schema.checkFallback(of: defaults, &fields, scope: scope?.scope)
            return defaults
        }
        let wantsMetadata = fields.bool("metadata") ?? true
        finish(&fields, section: "keys", reserved: ["budget"])
        return digest.map { digest in
            let definition = KeyDefinition(
                name: entry.key.text, digest: digest, isAdmin: isAdmin, models: scope?.scope, endpoints: endpoints, limits: limits,
                defaults: defaults.map(OverridesBox.init), wantsMetadata: wantsMetadata)
            return ReadKey(definition: definition, scopeDigest: scope?.digest)
        }
    }

    /// A model that the key itself may not reach would have each of its requests refused.
    private func checkFallback(of defaults: RoutingOverrides, _ fields: inout FieldReader, scope: ModelScope?) {
        guard let scope, let name = defaults.fallbackModel, let node = fields.node("fallback_model"), !node.isUnresolved else { return }
        let models =
            defaults.fallbackProvider.map { names.qualified["\($0)/\(name)"].map { [$0] } } ?? names.models[name]
            ?? names.qualified[name].map { [$0] }
        guard let models, scope.models.isDisjoint(with: models) else { return }
        fields.report("fallback_model", "this key may not reach \(node.shown)", hint: "add it to the key's 'models', or name another model")
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
            if let digest = Hex.decoded(hex), digest.count == SHA256.byteCount { return digest }
            fields.report("sha256", "'sha256' takes 64 hexadecimal digits", hint: "printf %s \"$SECRET\" | sha256sum")
            return nil
        }
        if let both = fields.entry("sha256") {
            fields.report(
                ConfigIssue(at: both.key.position, "key '\(name.text)' has both 'secret' and 'sha256'", hint: "keep one of the two"))
        }
        guard let secret, !node.isUnresolved else { return nil }
        return Array(SHA256.hash(data: Array(secret.reveal().utf8)))
    }

    private mutating func readScope(_ fields: inout FieldReader, _ scopes: inout KeyScopes) -> KeyScopes.Combined? {
        fields.declare("models", as: .other("list of names, globs and 'tag:NAME'"))
        guard let patterns = fields.texts("models") else { return nil }
        if patterns.isEmpty, fields.node("models")?.isScalar == false {
            fields.report(
                "models", "'models' is empty, so this key could reach nothing", hint: "remove the line to allow all models, or name some")
        }
        guard !patterns.contains(where: { $0.text == "*" }) else { return nil }
        for pattern in patterns where !pattern.isUnresolved {
            let part = scopes.part(pattern.text)
            guard part.models.isEmpty, part.routes.isEmpty else { continue }
            if names.broken.isEmpty || !names.isBroken(pattern.text) && !isPattern(pattern.text) { reportEmpty(pattern) }
        }
        return scopes.combined(patterns.filter { !$0.isUnresolved }.map(\.text))
    }

    private mutating func reportEmpty(_ pattern: ConfigText) {
        let text = pattern.text
        if isPattern(text) {
            report(
                ConfigIssue(
                    .warning, at: pattern.position, "'\(abbreviated(pattern.source))' matches no model and no route",
                    hint: "check its spelling"))
        } else {
            let suggestion = names.suggestion(forStep: text)
            let hint = suggestion.isEmpty ? "name a model or a route; 'tag:fast' and globs such as 'openrouter/*' work too" : nil
            report(
                ConfigIssue(at: pattern.position, "there is no model or route '\(abbreviated(pattern.source))'\(suggestion)", hint: hint))
        }
    }

    private func isPattern(_ text: String) -> Bool {
        text.hasPrefix("tag:") || Glob(text) != nil
    }
}
