import ConfigTree

/// Every name that one part of a policy may use for another. Filled section by section; each lookup is a hash.
struct PolicyNames {
    var providers: [String: Int] = [:]
    /// Routes by name.
    var routes: [String: Int] = [:]
    /// Models by the name that callers use; several providers may share it.
    private(set) var models: [String: [Int]] = [:]
    /// Models by `provider/name`.
    private(set) var qualified: [String: Int] = [:]
    /// Names whose definition has an error: who uses one makes no further mistake.
    private(set) var broken: Set<String> = []
    /// How many more times a near name is looked for: that compares with every name, and a broken file may have very many unknown ones.
    private var suggestions = 200

    /// By index.
    var providerNames: [Int: String] {
        Dictionary(providers.map { ($0.value, $0.key) }) { first, _ in first }
    }

    mutating func addModel(_ index: Int, name: String, provider: String) {
        models[name, default: []].append(index)
        qualified["\(provider)/\(name)"] = index
    }

    /// With what stands behind a `/`, the name of a model.
    mutating func addBroken(_ name: String) {
        broken.insert(name)
        if let slash = name.firstIndex(of: "/") { broken.insert(String(name[slash...].dropFirst())) }
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
        let candidates = [Array(routes.keys), Array(models.keys), Array(qualified.keys), Array(broken)].joined()
        return suggestion(for: name, among: candidates)
    }
}

extension PolicySchema {
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
        report(ConfigIssue(at: name.position, "the name of \(kind) '\(abbreviated(text))' \(message)", hint: "use letters, digits, '-', '_', '.' and ':'"))
        names.addBroken(text)
        return false
    }
}
