import ConfigTree

/// Every name that one part of a policy may use for another. Filled section by section; each lookup is a hash.
struct PolicyNames {
    var providers: [String: Int] = [:]
    /// Routes by name.
    var routes: [String: Int] = [:]
    /// Models by the name that clients use; several providers may share it.
    private(set) var models: [String: [Int]] = [:]
    /// Models by `provider/name`.
    private(set) var qualified: [String: Int] = [:]
    /// Names whose definition has an error: who uses one makes no further mistake.
    private(set) var broken: Set<String> = []
    private(set) var brokenKeys: Set<String> = []
    /// How many more times a near name is looked for: that compares with every name, and a broken file may have very many unknown ones.
    private var suggestions = 200

    mutating func addModel(_ index: Int, name: String, provider: String) {
        models[name, default: []].append(index)
        qualified["\(provider)/\(name)"] = index
    }

    /// With what stands behind a `/`, the name of a model.
    mutating func addBroken(_ name: String) {
        broken.insert(name)
        if let slash = name.firstIndex(of: "/") { broken.insert(String(name[slash...].dropFirst())) }
    }

    /// The name of an entry of `keys`.
    mutating func addBroken(key: String) {
        brokenKeys.insert(key)
    }

    func isBroken(_ name: String) -> Bool {
        broken.contains(name) || name.firstIndex(of: "/").map { broken.contains(String(name[$0...].dropFirst())) } ?? false
    }

    /// A route, a model or `provider/model`, in this order.
    func step(_ name: String) -> RouteStep? {
        if let route = routes[name] { return .route(route) }
        if let models = models[name] { return .models(models) }
        return qualified[name].map { .models([$0]) }
    }

    /// `; did you mean 'x'?`, or nothing.
    mutating func suggestion(for name: String, among candidates: some Sequence<String>) -> String {
        guard suggestions > 0 else { return "" }
        suggestions -= 1
        return nearest(to: name, in: candidates).map { "; did you mean '\($0)'?" } ?? ""
    }

    mutating func suggestion(forStep name: String) -> String {
        suggestion(for: name, among: [Array(routes.keys), modelNames].joined())
    }

    /// In every form, with those that have an error.
    var modelNames: [String] { Array(models.keys) + Array(qualified.keys) + Array(broken) }
}

extension PolicySchema {
    /// nil with an issue, unless its definition has one.
    mutating func provider(named text: ConfigText) -> Int? {
        if text.isUnresolved { return nil }
        if let index = names.providers[text.text] { return index }
        guard !names.isBroken(text.text) else { return nil }
        let suggestion = names.suggestion(for: text.text, among: names.providers.keys)
        let known = "known: \(abbreviated(names.providers.keys.sorted().joined(separator: ", ")))"
        let hint = names.providers.isEmpty ? "define it under 'providers:'" : suggestion.isEmpty ? known : nil
        report(ConfigIssue(at: text.position, "there is no provider '\(abbreviated(text.source))'\(suggestion)", hint: hint))
        return nil
    }

    /// All models of a name, or the one of `provider/name`. nil with an issue, unless its definition has one.
    mutating func model(named text: ConfigText) -> [Int]? {
        if text.isUnresolved { return nil }
        if let models = names.models[text.text] ?? names.qualified[text.text].map({ [$0] }) { return models }
        guard !names.isBroken(text.text) else { return nil }
        let message = "there is no model '\(abbreviated(text.source))'"
        guard names.routes[text.text] == nil else {
            report(ConfigIssue(at: text.position, message, hint: "'\(abbreviated(text.source))' is a route; name models here"))
            return nil
        }
        let suggestion = names.suggestion(for: text.text, among: names.modelNames)
        report(ConfigIssue(at: text.position, message + suggestion, hint: suggestion.isEmpty ? "define it under 'models:'" : nil))
        return nil
    }

    /// Whether a name may stand in headers, metrics and lists as it is. Reports where not.
    mutating func checkName(_ name: ConfigText, of kind: String, mayHaveSlash: Bool = false) -> Bool {
        let text = name.text
        let message: String
        if !text.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) {
            message = "has a space or another character outside visible ASCII"
        } else if let mark = text.first(where: { "*?,!&\"'\\".contains($0) }) {
            message = "has '\(mark)', which means something else where names are used"
        } else if text.contains("/"), !mayHaveSlash {
            message = "has '/', which only divides a provider from its model"
        } else if text.hasPrefix("tag:") {
            message = "begins with 'tag:', which stands for a tag"
        } else if text.utf8.count > 128 {
            message = "is longer than 128 characters"
        } else {
            return true
        }
        report(
            ConfigIssue(
                at: name.position, "the name of \(kind) '\(abbreviated(text))' \(message)",
                hint: "use letters, digits, '-', '_', '.' and ':'"))
        names.addBroken(text)
        return false
    }
}
