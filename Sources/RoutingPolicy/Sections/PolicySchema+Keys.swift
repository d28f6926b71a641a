import Codecs
import ConfigTree
internal import Crypto
import ProviderKit

extension KeyDefinition {
    static let section = OptionSection<KeyDefinition>(
        "keys", "which clients may send requests, by name",
        [
            Option(
                "secret", takes: .text, help: "what the client sends as its API key, best as a variable; or use 'sha256'",
                entries: { key, _ in [OptionEntry("secret", .opaque(key.digest))] },
                read: { fields, schema, key in if let read = schema.readSecret(&fields) { (key.secret, key.digest) = read } }),
            Option(
                "sha256", takes: .text, help: "the SHA-256 of the secret in hexadecimal: printf %s \"$SECRET\" | sha256sum",
                // Read together with `secret`.
                entries: { _, _ in [] }, read: { _, _, _ in }),
            Option(
                "client_certificate", \.certificate, .fingerprint,
                help: "the SHA-256 of a client's certificate: openssl x509 -in FILE -noout -fingerprint -sha256; see listen.tls"),
            Option("admin", \.isAdmin, .bool, help: "whether the key may use /metrics and /admin too"),
            Option(
                "models", takes: .other("list of names, globs and 'tag:NAME'"), .words("everything"),
                help: "what the key may use; a route in the list grants everything that it leads to",
                entries: { key, policy in key.models.map { [OptionEntry("models", .scope($0, policy))] } ?? [] },
                read: { fields, schema, key in key.models = schema.readScope(&fields) }),
            Option(
                "endpoints", takes: .words(KeyOperation.words), .words("all"),
                help: "operations that the key may use",
                entries: { key, _ in key.endpoints.map { [OptionEntry("endpoints", .list($0.map(\.word).sorted()))] } ?? [] },
                read: { fields, _, key in
                    let words = fields.words("endpoints", of: KeyOperation.words)
                    if case .sequence(let nodes)? = fields.node("endpoints")?.content, nodes.isEmpty {
                        fields.report(
                            "endpoints", "'endpoints' is empty, so this key could call nothing",
                            hint: "write 'endpoints: [chat]', or remove the line to allow all of them")
                    }
                    key.endpoints = words.map { Set($0.compactMap { KeyOperation(word: $0) }) }
                }),
            Option(section: "limits", \.limits, Limits.section, .words("no limit"), help: "bounds all requests of the key together"),
            Option(
                section: "budget", \.budget, Budget.section, .words("none"), help: "what all requests of the key together may cost",
                check: { fields, _, budget, _ in Budget.check(budget, &fields) }),
            Option("expires", \.expires, .expiry, .words("never"), help: "the last day of the key, or the time of its end"),
            Option(
                "defaults", takes: .other("see keys.defaults"), help: "routing overrides of requests that give none themselves",
                entries: { key, policy in
                    let entries = RoutingOverrides.section.entries(of: key.defaults?.fields ?? RoutingOverrides(), in: policy)
                    return entries.isEmpty ? [] : [OptionEntry("defaults", .section(entries))]
                },
                read: { fields, schema, key in
                    let scope = key.models
                    let overrides = schema.read(RoutingOverrides.section, at: "defaults", of: &fields) { fields, schema, overrides in
                        schema.checkFallback(of: overrides, &fields, scope: scope)
                        return true
                    }
                    key.defaults = overrides.map(OverridesBox.init)
                }),
            Option(
                "metadata", takes: .other("true, false, or names with texts"), .value("true"),
                help: "false hides which provider and model serve a request; names with texts, such as 'team: search', go into the log",
                entries: { key, _ in
                    let labels = key.labels.map { OptionEntry($0.name, .text($0.text)) }
                    return [OptionEntry("metadata", labels.isEmpty ? .text("\(key.wantsMetadata)") : .section(labels))]
                },
                read: { fields, _, key in
                    guard case .mapping(let entries)? = fields.node("metadata")?.content else {
                        return key.wantsMetadata = fields.bool("metadata") ?? true
                    }
                    key.labels = (fields.stringMap("metadata") ?? []).map { KeyLabel(name: $0.name.text, text: $0.value.text) }
                    if entries.count > KeyLabel.maxCount {
                        fields.report(
                            "metadata", "'metadata' has more than \(KeyLabel.maxCount) names", hint: "keep those that you filter by")
                    }
                    for (position, label) in key.labels.enumerated() {
                        guard let other = key.labels[..<position].first(where: { $0.metricName == label.metricName }) else { continue }
                        fields.report(
                            "metadata",
                            "'\(abbreviated(other.name))' and '\(abbreviated(label.name))' have the same name in metrics, '\(label.metricName)'",
                            hint: "choose names that differ in letters or digits")
                    }
                }),
        ])
}

extension OptionType where Value == [UInt8] {
    /// A SHA-256 in hexadecimal, with or without colons.
    static let fingerprint = OptionType(
        kind: .other("SHA-256 in hexadecimal"),
        read: { fields, key in
            guard let text = fields.string(key) else { return nil }
            if let digest = Hex.decoded(text.replacing(":", with: "")), digest.count == SHA256.byteCount { return digest }
            fields.report(
                key, "'\(key)' takes 64 hexadecimal digits",
                hint: "print them with: openssl x509 -in FILE -noout -fingerprint -sha256")
            return nil
        }, written: { Hex.encoded($0) })
}

extension OptionValue {
    /// What a scope grants, by name.
    fileprivate static func scope(_ scope: ModelScope, _ policy: RoutingPolicy) -> OptionValue {
        .scope(digest: scope.digest) {
            (scope.patterns.map(\.text) + scope.names + scope.routes.map { policy.routes[$0].name }
                + scope.models.map { policy.models[$0].key }).sorted()
        }
    }
}

extension PolicySchema {
    mutating func readKeys(_ entries: [ConfigEntry]) -> [KeyDefinition] {
        scopes = KeyScopes(models: models, routes: policy.routes, names: names)
        var digests: [[UInt8]: ConfigText] = [:], certificates: [[UInt8]: ConfigText] = [:]
        var keys: [KeyDefinition] = []
        for entry in entries where checkName(entry.key, of: "key") {
            let key = key(entry)
            guard !key.digest.isEmpty || key.certificate != nil else {
                names.addBroken(key: entry.key.text)
                continue
            }
            checkCertificate(of: key, entry, &certificates)
            if !key.digest.isEmpty, let other = digests.updateValue(entry.key, forKey: key.digest) {
                report(
                    ConfigIssue(
                        at: entry.key.position,
                        "keys '\(other.text)' and '\(entry.key.text)' have the same secret; the other is at \(other.position)",
                        hint: "give each key a secret of its own"))
            }
            keys.append(key)
        }
        return keys
    }

    private mutating func checkCertificate(of key: KeyDefinition, _ entry: ConfigEntry, _ certificates: inout [[UInt8]: ConfigText]) {
        guard let certificate = key.certificate else { return }
        if let other = certificates.updateValue(entry.key, forKey: certificate) {
            report(
                ConfigIssue(
                    at: entry.key.position,
                    "keys '\(other.text)' and '\(entry.key.text)' have the same 'client_certificate'; the other is at \(other.position)",
                    hint: "give each client a certificate of its own"))
        }
        if !listen.contains(where: { $0.listener.tls?.clientCA != nil }) {
            report(
                ConfigIssue(
                    .warning, at: entry.key.position,
                    "no listener asks clients for certificates, so none identifies key '\(entry.key.text)'",
                    hint: "add 'client_ca' to the 'tls' of an entry of 'listen'"))
        }
    }

    /// Its digest is empty if it has no valid secret.
    private mutating func key(_ entry: ConfigEntry) -> KeyDefinition {
        var fields = FieldReader(entry.value, of: entry.key)
        PolicySchema.hideMisplaced(in: entry.value, &fields)
        var key = KeyDefinition(name: entry.key.text, digest: [])
        currentKey = entry.key
        read(KeyDefinition.section, &fields, into: &key)
        if key.budget != nil { firstBudget = firstBudget ?? fields.node("budget")?.position }
        if let end = key.expires, end <= now, let node = fields.node("expires") {
            let message = "key '\(key.name)' has expired, so it opens nothing"
            offMessages.insert(message)
            report(ConfigIssue(.warning, at: node.position, message, hint: "give it a later 'expires', or remove the key"))
        }
        finish(&fields, KeyDefinition.section)
        return key
    }

    /// Reports a fallback that the key itself may not use: every request of the key would be refused.
    fileprivate func checkFallback(of defaults: RoutingOverrides, _ fields: inout FieldReader, scope: ModelScope?) {
        guard let scope, let name = defaults.fallbackModel, let node = fields.node("fallback_model"), !node.isUnresolved else { return }
        let models =
            defaults.fallbackProvider.map { names.qualified["\($0)/\(name)"].map { [$0] } }
            ?? (names.models[name] ?? names.qualified[name].map { [$0] })
        let isUnlisted = models == nil && defaults.fallbackProvider.map { scope.hasPattern(matching: "\($0)/\(name)") } == false
        let isOutside =
            models == nil && defaults.fallbackProvider == nil
            && names.wildcard(for: name).map { !scope.allows(name, of: $0, in: policy) } == true
        guard isUnlisted || isOutside || models.map(scope.models.isDisjoint) == true else { return }
        fields.report(
            "fallback_model", "this key may not reach \(node.displayText)", hint: "add it to the key's 'models', or name another model")
    }

    /// The key's secret, if it is given, and its SHA-256. nil with an issue, or if a variable is unset.
    fileprivate mutating func readSecret(_ fields: inout FieldReader) -> (secret: Secret?, digest: [UInt8])? {
        let name = currentKey
        let secret = fields.secret("secret")
        let hex = fields.string("sha256")
        guard let node = fields.node("secret") else {
            guard let node = fields.node("sha256") else {
                guard !fields.isPresent("client_certificate") else { return nil }
                let hint = "add 'secret: ${NAME}' or 'sha256: …', the SHA-256 of the secret in hexadecimal"
                fields.report(ConfigIssue(at: name.position, "key '\(name.text)' has no secret", hint: hint))
                return nil
            }
            fields.markSecret(node)
            guard let hex, !node.isUnresolved else { return nil }
            if let digest = Hex.decoded(hex), digest.count == SHA256.byteCount { return (nil, digest) }
            fields.report("sha256", "'sha256' takes 64 hexadecimal digits", hint: "make it with: printf %s \"$SECRET\" | sha256sum")
            return nil
        }
        if let both = fields.entry("sha256") {
            fields.report(
                ConfigIssue(at: both.key.position, "key '\(name.text)' has both 'secret' and 'sha256'", hint: "keep one of the two"))
        }
        guard let secret, !node.isUnresolved else { return nil }
        if secret.reveal().utf8.count < Self.minSecretLength, !fields.issues.contains(where: { $0.position == node.position }) {
            fields.report(
                ConfigIssue(
                    .warning, at: node.position, "'secret' has fewer than \(Self.minSecretLength) characters, so it can be guessed",
                    hint: "make one with: openssl rand -hex 24"))
        }
        return (secret, Array(SHA256.hash(data: Array(secret.reveal().utf8))))
    }

    /// In characters. 16 random ones have about 95 bits.
    private static let minSecretLength = 16

    /// nil: everything.
    fileprivate mutating func readScope(_ fields: inout FieldReader) -> ModelScope? {
        guard let patterns = fields.texts("models") else { return nil }
        if patterns.isEmpty, fields.node("models")?.isScalar == false {
            fields.report(
                "models", "'models' is empty, so this key could reach nothing",
                hint: "write 'models: [auto]' with the routes and models it may use, or remove the line to allow all of them")
        }
        guard !patterns.contains(where: { $0.text == "*" }) else { return nil }
        for pattern in patterns where !pattern.isUnresolved {
            let part = scopes.part(pattern.text)
            guard part.models.isEmpty, part.routes.isEmpty, part.names.isEmpty else { continue }
            if let glob = Glob(pattern.text), names.hasWildcard(for: glob) || names.hasProvider(for: glob) { continue }
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
                    hint: listHint(pattern.source) ?? "check its spelling"))
        } else {
            let suggestion = names.suggestion(forStep: text)
            let known = "name a model or a route; 'tag:fast' and globs such as 'openrouter/*' work too"
            let hint = suggestion.isEmpty ? listHint(pattern.source) ?? known : nil
            report(
                ConfigIssue(at: pattern.position, "there is no model or route '\(abbreviated(pattern.source))'\(suggestion)", hint: hint))
        }
    }

    private func isPattern(_ text: String) -> Bool {
        text.hasPrefix("tag:") || Glob(text) != nil
    }
}
