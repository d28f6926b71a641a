import ConfigTree
import ProviderKit

/// The reading of one policy: what the sections share while they are read, and the checks across sections. Used once.
struct PolicySchema {
    private(set) var issues: [ConfigIssue] = []
    private(set) var secrets: [SourcePosition] = []
    /// The warnings that a reload repeats only if they are new: about what is off because variables are unset, and
    /// about models without a price.
    var offMessages: Set<String> = []
    /// Values that are no secrets, although their keys look like it.
    var plain: [SourcePosition] = []
    /// Those that are built in, and then those that the policy loads.
    var plugins: [any ProviderPlugin.Type]
    /// Whether a library of `plugins:` couldn't be loaded, so that a name may be its plugin's.
    var hasBrokenPlugins = false
    /// Whether a policy without models has an error.
    let needsModels: Bool
    /// What the language calls things, for the reports.
    var vocabulary: Vocabulary
    /// Where the libraries of plugins are read from.
    let source: any PolicySource
    /// nil if no plugins can be loaded.
    let pluginLoader: (any PluginLoader)?
    /// What to write instead of the name of a plugin that doesn't exist; nil if nothing is known.
    let pluginAdvice: (String) -> String?
    /// In seconds since 1970.
    let now: Int
    var names = PolicyNames()
    var selections: [Selector: [Int]] = [:]
    /// The models that each text of a selector's `models` stands for.
    var patterns: [String: Set<Int>] = [:]
    /// Where the policy listens, for the check that needs the keys.
    var listen: [(listener: ListenerDefinition, position: SourcePosition)] = []
    /// Where listeners read the PROXY protocol, for the check that needs `server`.
    var proxyListeners: [SourcePosition] = []
    /// Where the first key has a budget, for the check that needs `state`.
    var firstBudget: SourcePosition?
    /// Where `server.cors` allows every origin, for the same check.
    var anyOrigin: SourcePosition?
    /// The models that have been read.
    var models = ModelIndex([], providers: [])
    /// What has been read of the policy, for the sections whose options depend on the levels below.
    var policy = RoutingPolicy()
    var scopes = KeyScopes(models: ModelIndex([], providers: []), routes: [], names: PolicyNames())
    var graph = RouteGraph(names: [])
    /// The routes that lead to others by `when`.
    var conditionGraph = RouteGraph(names: [])
    /// The names of keys in conditions, which are read before the keys.
    var conditionKeys: [ConfigText] = []
    /// The name of the model, route or key that is being read.
    var currentKey = ConfigText("", at: SourcePosition(file: "", line: 1, column: 1))
    /// The route that is being read, an index into the policy's.
    var currentRoute = 0
    /// The value of `defaults.fallback`.
    var defaultFallback: ConfigNode?
    /// Whether the request of the test that is being read may name models that do not exist.
    var mayNameUnknownModels = false
    /// The model that the test being read may name although the policy doesn't list it.
    var requestedFallback: String?
    /// Where a route's hedge is, for the checks that need all routes.
    var hedges: [(route: Int, position: SourcePosition, maxCost: SourcePosition?)] = []

    init(
        plugins: [any ProviderPlugin.Type], vocabulary: Vocabulary, source: any PolicySource, pluginLoader: (any PluginLoader)?,
        pluginAdvice: @escaping (String) -> String?, now: Int, needsModels: Bool
    ) {
        self.pluginAdvice = pluginAdvice
        self.now = now
        self.source = source
        self.pluginLoader = pluginLoader
        self.plugins = plugins
        self.needsModels = needsModels
        self.vocabulary = vocabulary
    }

    /// nil only with an error among `issues`.
    mutating func read(_ root: [ConfigEntry], at top: SourcePosition) -> RoutingPolicy? {
        for entry in root { reportUnset(in: entry.value, section: entry.key.text) }
        var fields = FieldReader(root, at: top)
        var policy = RoutingPolicy()
        for option in RoutingPolicy.section.options {
            fields.declare(option.key, as: option.kind)
            option.read(&fields, &self, &policy)
            self.policy = policy
        }
        for key in conditionKeys { check(key) }
        if entries(of: fields.node("keys")).isEmpty { checkExposure(listen) }
        checkProxies(policy.server)
        checkBudgets(fields)
        checkSpool(policy.server, entries(of: fields.node("server")))
        finish(&fields, RoutingPolicy.section)
        guard !issues.contains(where: { $0.severity == .error }) else { return nil }
        // Otherwise a file that is only half written would take every model out of service at a reload.
        guard !policy.models.isEmpty || !needsModels else {
            report(ConfigIssue(at: top, "there are no models, so no request can be served", hint: "add 'providers:' and 'models:'"))
            return nil
        }
        policy.digest = policy.meaningDigest
        policy.offMessages = offMessages
        return policy
    }

    mutating func report(_ issue: ConfigIssue) {
        issues.append(issue)
    }

    mutating func add(_ issues: [ConfigIssue], secrets: [SourcePosition]) {
        self.issues += issues
        self.secrets += secrets
    }

    /// The entries of a top-level section whose keys are names.
    mutating func named(_ key: String, of fields: inout FieldReader) -> [ConfigEntry] {
        guard let entry = fields.entry(key) else { return [] }
        // A mistyped mapping must not pass for an empty one, and what is in its place may be the secret itself.
        var reader = FieldReader(entry.value, of: entry.key)
        if key == "keys" || key == "providers" { PolicySchema.hideMisplaced(in: entry.value, &reader) }
        let form = vocabulary.form(ofNamed: key)
        add(
            reader.issues.map { ConfigIssue($0.severity, at: $0.position, $0.message, hint: $0.hint ?? form) },
            secrets: reader.secretPositions)
        return entries(of: entry.value)
    }

    /// Marks texts in the place of a key or a provider as secrets: one may be the secret itself.
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

    /// Reports unset variables, except in the options of a provider that turn it off; `readProviders` handles those.
    private mutating func reportUnset(in node: ConfigNode, section: String) {
        guard section == "providers" else {
            issues += unsetIssues(in: node, isSecret: section != "providers" && Vocabulary.secretSections.contains(section))
            return
        }
        for provider in entries(of: node) {
            for option in entries(of: provider.value) where !PolicySchema.isSwitch(option) {
                issues += unsetIssues(in: option.value, isSecret: Vocabulary.secretOptions.contains(option.key.text))
            }
        }
    }

    /// Whether an option of a provider is one whose unset variables turn it off.
    static func isSwitch(_ option: ConfigEntry) -> Bool {
        switch option.value.content {
        case .scalar: ["api_key", "base_url"].contains(option.key.text)
        case .sequence(let nodes): option.key.text == "api_key" && nodes.allSatisfy(\.isScalar)
        case .mapping: false
        }
    }
}

/// One issue for each scalar with a variable that is unset and has no default.
///
/// - Parameter isSecret: whether the values are secrets. A secret must not be in the file, not even as a default.
func unsetIssues(in node: ConfigNode, isSecret: Bool = false) -> [ConfigIssue] {
    var issues: [ConfigIssue] = []
    findUnset(in: node, isSecret: isSecret, &issues)
    return issues
}

private func findUnset(in node: ConfigNode, isSecret: Bool, _ issues: inout [ConfigIssue]) {
    switch node.content {
    case .sequence(let nodes): for node in nodes { findUnset(in: node, isSecret: isSecret, &issues) }
    case .mapping(let entries): for entry in entries { findUnset(in: entry.value, isSecret: isSecret, &issues) }
    case .scalar(let scalar):
        guard let name = scalar.unset.first else { return }
        let names = scalar.unset.map { "'\($0)'" }.joined(separator: ", ")
        let message =
            scalar.unset.count == 1
            ? "the environment variable \(names) is unset or empty" : "the environment variables \(names) are unset or empty"
        let hint = "set it in the environment" + (isSecret ? ", or use '${file:path}'" : ", or give a default: '${\(name):-…}'")
        issues.append(ConfigIssue(at: node.position, message, hint: hint))
    }
}

extension ConfigNode {
    var isScalar: Bool {
        if case .scalar = content { true } else { false }
    }
}
