internal import RoutingPolicy

/// What the entries of another program's file are called in the policy: names that a policy allows, each for one entry.
struct ForeignNames {
    private var names: [String: String] = [:]
    private var taken: Set<String> = []

    /// - Parameters:
    ///   - foreign: the names in the other file. Those that a policy allows stay.
    ///   - fallback: what an entry is called if nothing is left of its name.
    init(_ foreign: [String], mayHaveSlash: Bool = false, fallback: String) {
        self.init(foreign, mayHaveSlash, fallback) { Self.isAllowed($0, mayHaveSlash) }
    }

    /// What tags are called in the policy. An empty one is none.
    init(ofTags foreign: [String]) { self.init(foreign.filter { !$0.isEmpty }, false, "tag") { isTag($0) } }

    private init(_ foreign: [String], _ mayHaveSlash: Bool, _ fallback: String, isAllowed: (String) -> Bool) {
        for name in foreign where isAllowed(name) { names[name] = name }
        taken = Set(names.keys)
        for name in foreign where names[name] == nil {
            names[name] = free(Self.allowed(name, mayHaveSlash, fallback), separator: "-")
        }
    }

    /// The name in the policy; nil if the other file has no such entry.
    subscript(foreign: String) -> String? { names[foreign] }

    /// What a comment says about an entry; nil if it is called as before.
    func comment(_ foreign: String) -> String? {
        names[foreign] == foreign ? nil : "It was called '\(ImportWords.printable(foreign))'."
    }

    /// Sets the tags of a model, with a comment for each that is called otherwise here.
    func setTags(_ foreign: [String], of model: inout DraftEntry) {
        model.set("tags", .texts(foreign.compactMap { names[$0] }))
        for tag in foreign {
            guard let name = names[tag], name != tag else { continue }
            model.comments.append("The tag '\(ImportWords.printable(tag))' is called \(name) here.")
        }
    }

    /// A name that no entry has yet: the given one, or the first with a number.
    mutating func free(_ name: String, separator: String) -> String {
        let star = name.hasSuffix("*") ? "*" : ""
        var (free, number) = (name, 2)
        while taken.contains(free) {
            free = "\(name.dropLast(star.count))\(separator)\(number)\(star)"
            number += 1
        }
        taken.insert(free)
        return free
    }

    private static func isAllowed(_ name: String, _ mayHaveSlash: Bool) -> Bool {
        PolicyName.problem(with: name, mayHaveSlash: mayHaveSlash, mayBeWildcard: mayHaveSlash) == nil
    }

    /// Each run of other characters becomes one `-`, and none at the ends.
    private static func allowed(_ name: String, _ mayHaveSlash: Bool, _ fallback: String) -> String {
        let star = mayHaveSlash && name.hasSuffix("*") ? "*" : ""
        let words = name.dropLast(star.count).split { character in
            !character.isASCII
                || !(character.isLetter || character.isNumber || "_.:".contains(character) || mayHaveSlash && character == "/")
        }
        let text = String(words.joined(separator: "-").prefix(120))
        return (text.isEmpty ? fallback : text.hasPrefix("tag:") ? "tag-" + text.dropFirst(4) : text) + star
    }
}
