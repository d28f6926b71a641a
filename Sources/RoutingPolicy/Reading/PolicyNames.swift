import ConfigTree

/// The names by which one part of a policy can refer to another. They are added section by section; a lookup is one
/// hash.
struct PolicyNames {
    var providers: [String: Int] = [:]
    /// Routes by name.
    var routes: [String: Int] = [:]
    /// Models by the name that clients use. Several providers may share a name.
    private(set) var models: [String: [Int]] = [:]
    /// Models by `provider/name`.
    private(set) var qualified: [String: Int] = [:]
    /// Wildcards by the text before their `*`.
    private(set) var wildcards: [String: Int] = [:]
    /// Names whose definition has an error. A reference to such a name is not reported again.
    private(set) var broken: Set<String> = []
    private(set) var brokenKeys: Set<String> = []
    /// How many more times a similar name is searched for. A search compares with every name, and a broken file may
    /// have thousands of unknown names.
    private var remainingSearches = 200

    /// - Parameter name: a wildcard is only found by `wildcard(for:)`: nothing but a request's `model` can name it.
    mutating func addModel(_ index: Int, name: String, provider: String) {
        if ModelDefinition.isWildcard(name) {
            wildcards[String(name.dropLast())] = index
            return
        }
        models[name, default: []].append(index)
        qualified["\(provider)/\(name)"] = index
    }

    /// Adds the name and, if it has a `/`, the model's name after it.
    mutating func addBroken(_ name: String) {
        broken.insert(name)
        if let slash = name.firstIndex(of: "/") { broken.insert(String(name[slash...].dropFirst())) }
    }

    /// - Parameter key: the name of an entry of `keys`.
    mutating func addBroken(key: String) {
        brokenKeys.insert(key)
    }

    func isBroken(_ name: String) -> Bool {
        broken.contains(name) || name.firstIndex(of: "/").map { broken.contains(String(name[$0...].dropFirst())) } ?? false
    }

    /// What a name means as a step: a route, a model or `provider/model`, in this order.
    func step(_ name: String) -> RouteStep? {
        if let route = routes[name] { return .route(route) }
        if let models = models[name] { return .models(models) }
        return qualified[name].map { .models([$0]) }
    }

    /// The wildcard with the longest text before its `*` with which the name begins.
    func wildcard(for name: String) -> Int? {
        wildcards.filter { name.hasPrefix($0.key) && name.utf8.count > $0.key.utf8.count }.max { $0.key.utf8.count < $1.key.utf8.count }?
            .value
    }

    /// Whether a glob can match a name that a wildcard stands for.
    func hasWildcard(for glob: Glob) -> Bool {
        wildcards.keys.contains { glob.start.hasPrefix($0) || $0.hasPrefix(glob.start) }
    }

    /// Whether a glob is for the names of one provider, of which a request's `fallback_provider` may name any.
    func hasProvider(for glob: Glob) -> Bool {
        glob.start.firstIndex(of: "/").map { providers[String(glob.start[..<$0])] != nil } ?? false
    }

    /// `; did you mean 'x'?`, or an empty text if no candidate is similar.
    mutating func suggestion(for name: String, among candidates: some Sequence<String>) -> String {
        guard remainingSearches > 0 else { return "" }
        remainingSearches -= 1
        return nearest(to: name, in: candidates).map { "; did you mean '\($0)'?" } ?? ""
    }

    mutating func suggestion(forStep name: String) -> String {
        suggestion(for: name, among: [Array(routes.keys), modelNames].joined())
    }

    /// The names of models in every form, and all names whose definition has an error.
    var modelNames: [String] { Array(models.keys) + Array(qualified.keys) + Array(broken) }
}

extension PolicySchema {
    /// Nil if there is no such provider. That is reported, unless the provider's definition has an error.
    mutating func provider(named text: ConfigText) -> Int? {
        if text.isUnresolved { return nil }
        if let index = names.providers[text.text] { return index }
        guard !names.isBroken(text.text) else { return nil }
        let suggestion = names.suggestion(for: text.text, among: names.providers.keys)
        let known = "known: \(abbreviated(names.providers.keys.sorted().joined(separator: ", ")))"
        let hint = listHint(text.source) ?? (names.providers.isEmpty ? "define it under 'providers:'" : suggestion.isEmpty ? known : nil)
        report(ConfigIssue(at: text.position, "there is no provider '\(abbreviated(text.source))'\(suggestion)", hint: hint))
        return nil
    }

    /// All models with a name, or the one that `provider/name` names. Nil if there is none. That is reported, unless
    /// the model's definition has an error.
    mutating func model(named text: ConfigText) -> [Int]? {
        if text.isUnresolved { return nil }
        if let models = names.models[text.text] ?? names.qualified[text.text].map({ [$0] }) { return models }
        guard !names.isBroken(text.text) else { return nil }
        let message = "there is no model '\(abbreviated(text.source))'"
        guard names.routes[text.text] == nil else {
            report(
                ConfigIssue(at: text.position, message, hint: "'\(abbreviated(text.source))' is a route, but only models are allowed here"))
            return nil
        }
        let suggestion = names.suggestion(for: text.text, among: names.modelNames)
        report(
            ConfigIssue(
                at: text.position, message + suggestion,
                hint: suggestion.isEmpty ? listHint(text.source) ?? "define it under 'models:'" : nil))
        return nil
    }

    /// Whether a name can be used unchanged in headers, metrics and lists. Reports a name that can't.
    ///
    /// - Parameter mayBeWildcard: whether it may end with `*`.
    mutating func checkName(_ name: ConfigText, of kind: String, mayHaveSlash: Bool = false, mayBeWildcard: Bool = false) -> Bool {
        let text = name.text
        guard let message = PolicyName.problem(with: text, mayHaveSlash: mayHaveSlash, mayBeWildcard: mayBeWildcard) else { return true }
        report(ConfigIssue(at: name.position, "the name of \(kind) '\(abbreviated(text))' \(message)", hint: PolicyName.hint))
        names.addBroken(text)
        return false
    }
}
