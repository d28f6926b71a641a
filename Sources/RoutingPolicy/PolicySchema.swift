import ConfigTree
import ProviderKit

/// The schema of routes.yaml: what each section takes, and the checks across sections. Used once.
///
/// An option is known because its section's method reads it; there is no other list. The sections stand in the extensions.
struct PolicySchema {
    private(set) var issues: [ConfigIssue] = []
    private(set) var secrets: [SourcePosition] = []
    /// Values that are no secrets, though their keys look as if.
    var plain: [SourcePosition] = []
    private(set) var options = KnownOptions()
    let plugins: [any ProviderPlugin.Type]
    var names = PolicyNames()
    var selections: [Selector: [Int]] = [:]
    /// What each of a selector's `models` stands for.
    var patterns: [String: Set<Int>] = [:]
    /// Where a route's hedge stands, for the checks that need all routes.
    var hedges: [(route: Int, position: SourcePosition, maxCost: SourcePosition?)] = []

    init(plugins: [any ProviderPlugin.Type]) {
        self.plugins = plugins
    }

    /// nil only with an error among `issues`.
    mutating func read(_ root: [ConfigEntry], at top: SourcePosition) -> RoutingPolicy? {
        for entry in root { reportUnset(in: entry.value, section: entry.key.text) }
        var fields = FieldReader(root, at: top)
        readVersion(&fields)
        let listen = readListen(&fields)
        let server = readServer(&fields)
        let defaults = readDefaults(&fields)
        let providers = readProviders(named("providers", of: &fields), over: defaults)
        let models = readModels(named("models", of: &fields), of: providers, over: defaults)
        let index = ModelIndex(models, providers: providers.map(\.definition.name))
        let routes = readRoutes(named("routes", of: &fields), models: index, providers: providers)
        let keys = readKeys(named("keys", of: &fields), models: index, routes: routes)
        let tests = readTests(&fields, keys: keys.map(\.definition.name))
        if entries(of: fields.node("keys")).isEmpty { checkExposure(listen) }
        // `PolicyFiles` has read it already.
        _ = fields.node("include")
        fields.declare("include", as: .other("paths and globs"))
        finish(&fields, section: "", reserved: ["plugins", "state", "log", "tls"])
        guard !issues.contains(where: { $0.severity == .error }) else { return nil }
        if fields.node("models") == nil {
            report(ConfigIssue(.warning, at: top, "there are no models: no request can be served", hint: "add 'providers:' and 'models:'"))
        }
        return RoutingPolicy(
            listen: listen.map(\.address), server: server, timeouts: Timeouts().overridden(by: defaults.timeouts), retry: defaults.retry,
            failover: defaults.failover, statisticsWindow: defaults.statisticsWindow, maxModels: defaults.maxModels,
            maxAttempts: defaults.maxAttempts,
            providers: providers.map(\.definition), models: models, routes: routes, keys: keys.map(\.definition), tests: tests, digest: ""
        ).withDigest(providerSettings: providers.map(\.node), scopes: keys.map(\.scopeDigest))
    }

    mutating func report(_ issue: ConfigIssue) {
        issues.append(issue)
    }

    /// Takes over what the reader of a section found, and which options it knows.
    mutating func finish(_ fields: inout FieldReader, section: String, reserved: [String] = [], naming: (String) -> String = { $0 }) {
        issues += fields.finish(reserved: reserved) { OptionReference.hint(section, naming($0)) }
        secrets += fields.secretPositions
        options.add(fields, of: section, naming: naming)
    }

    /// Takes over what was found so far, where the rest of the keys can't be judged.
    mutating func abandon(_ fields: FieldReader) {
        issues += fields.issues
        secrets += fields.secretPositions
    }

    /// A mapping inside `fields` that is a section of its own.
    ///
    /// - Parameter name: what the section is called among the options; nil: as its key.
    mutating func section<Value>(
        _ key: String, of fields: inout FieldReader, as name: String? = nil, naming: (String) -> String = { $0 },
        read: (inout FieldReader, inout PolicySchema) -> Value
    ) -> Value? {
        fields.declare(key, as: .other("see \(name ?? key)"))
        guard let entry = fields.entry(key) else { return nil }
        var inner = FieldReader(entry.value, of: entry.key)
        let value = read(&inner, &self)
        finish(&inner, section: name ?? key, naming: naming)
        return value
    }

    /// The entries of a top-level section whose keys are names.
    private mutating func named(_ key: String, of fields: inout FieldReader) -> [ConfigEntry] {
        fields.declare(key, as: .other("by name; see \(key)"))
        guard let entry = fields.entry(key) else { return [] }
        // No mistyped mapping may pass for an empty one; what stands in its place may be the secret.
        var reader = FieldReader(entry.value, of: entry.key)
        if key == "keys" || key == "providers" { PolicySchema.hideMisplaced(in: entry.value, &reader) }
        abandon(reader)
        return entries(of: entry.value)
    }

    /// Texts that stand where a key or a provider should: one may be the secret itself.
    static func hideMisplaced(in node: ConfigNode, _ fields: inout FieldReader) {
        switch node.content {
        case .mapping: break
        case .scalar: fields.markSecret(node)
        case .sequence(let nodes): for node in nodes where node.isScalar { fields.markSecret(node) }
        }
    }

    func entries(of node: ConfigNode?) -> [ConfigEntry] {
        if case .mapping(let entries)? = node?.content { entries } else { [] }
    }

    private mutating func readVersion(_ fields: inout FieldReader) {
        fields.declare("version", as: .other("1"))
        guard let entry = fields.entry("version") else {
            report(ConfigIssue(at: fields.position, "key 'version' is missing", hint: "write 'version: 1' at the top"))
            return
        }
        guard case .scalar(let scalar) = entry.value.content, scalar.isUnresolved || (scalar.text == "1" && scalar.style == .plain) else {
            report(
                ConfigIssue(
                    at: entry.value.position,
                    entry.value.shown == "'1'"
                        ? "'version' is a number, but '1' is text in quotes" : "'version' is 1, not \(entry.value.shown)",
                    hint: "write 'version: 1'"))
            return
        }
    }

    /// An unset variable turns a provider off where it stands in `api_key` or `base_url`; `readProviders` sees to those.
    private mutating func reportUnset(in node: ConfigNode, section: String) {
        guard section == "providers" else {
            issues += unsetIssues(in: node)
            return
        }
        for provider in entries(of: node) {
            for option in entries(of: provider.value) where !PolicySchema.switches.contains(option.key.text) || !option.value.isScalar {
                issues += unsetIssues(in: option.value)
            }
        }
    }

    /// The options of a provider whose unset variables turn it off.
    static let switches: Set<String> = ["api_key", "base_url"]
}

/// One for each scalar with a variable that is unset and has no default.
func unsetIssues(in node: ConfigNode) -> [ConfigIssue] {
    var issues: [ConfigIssue] = []
    findUnset(in: node, &issues)
    return issues
}

private func findUnset(in node: ConfigNode, _ issues: inout [ConfigIssue]) {
    switch node.content {
    case .sequence(let nodes): for node in nodes { findUnset(in: node, &issues) }
    case .mapping(let entries): for entry in entries { findUnset(in: entry.value, &issues) }
    case .scalar(let scalar):
        guard let name = scalar.unset.first else { return }
        let names = scalar.unset.map { "'\($0)'" }.joined(separator: ", ")
        let message =
            scalar.unset.count == 1
            ? "the environment variable \(names) is unset or empty" : "the environment variables \(names) are unset or empty"
        issues.append(ConfigIssue(at: node.position, message, hint: "set it in the environment, or give a default: '${\(name):-…}'"))
    }
}

extension ConfigNode {
    var isScalar: Bool {
        if case .scalar = content { true } else { false }
    }
}
