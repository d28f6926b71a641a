import Codecs
import ConfigTree

/// The names of the language: which options there are, where each belongs, and what other programs call it. Derived
/// from the reference, once for each load.
struct Vocabulary: Sendable {
    /// The options of each section with their kinds.
    private var sections: [String: [String: FieldKind]] = [:]
    /// The order of the sections in the reference, which decides between equally near ones.
    private var order: [String] = []
    /// The sections that can be inside each section, or that it can be inside of.
    private var neighbors: [String: [String]] = [:]
    /// The section that each section is inside of. Some, such as `limits`, are inside of several.
    private var parents: [String: Set<String>] = [:]
    /// The names of all options.
    private let options: Set<String>

    init(_ reference: OptionReference) {
        options = Set(reference.sections.flatMap { $0.rows.map(\.key) + $0.reserved })
        for section in reference.sections {
            order.append(section.name)
            for row in section.rows {
                let kind = row.kind ?? .other("")
                sections[section.name, default: [:]][row.key] = kind
                guard case .other(let words) = kind, let child = words.firstRange(of: "see ") else { continue }
                link(section.name, String(words[child.upperBound...].prefix { $0 != "," }))
            }
            if let dot = section.name.firstIndex(of: "."), sections[String(section.name[..<dot])] != nil {
                link(String(section.name[..<dot]), section.name)
            }
        }
    }

    private mutating func link(_ parent: String, _ child: String) {
        neighbors[parent, default: []].append(child)
        neighbors[child, default: []].append(parent)
        parents[child, default: []].insert(parent)
    }

    /// Whether a word is the name of an option, or another program's name of one.
    func isOption(_ word: String) -> Bool {
        options.contains(word) || ForeignName.table[ForeignName.form(of: word)] != nil
    }

    /// Whether a word is the name of an option of this language.
    func isOwnOption(_ word: String) -> Bool { options.contains(word) }

    /// Whether the names in an option's value are not those of the language: a request's, or those of header fields.
    func takesOtherNames(_ option: String) -> Bool {
        sections.values.contains { section in
            guard case .other(let words)? = section[option] else { return false }
            return ["JSON values", "names with", "header fields"].contains(where: words.contains)
        }
    }

    /// Whether a word is the name of an option or of a plugin, or a switch.
    func isWord(_ word: String) -> Bool {
        isOption(word) || Self.switches.contains(word) || sections["providers.\(word)"] != nil
    }

    /// Whether a word may be a misspelling of an option's name.
    func isNearlyOption(_ word: String) -> Bool {
        isOption(word) || nearest(to: word, in: options) != nil
    }

    /// Whether a key is no secret: the name of an option or of a usual header field, nearly such a name, or very short.
    func isPlainName(_ word: String) -> Bool {
        if word.utf8.count <= Self.tooShortForSecret || isNearlyOption(word) || nameBehindFirstWord(of: word) != nil { return true }
        // With a blank, a quote or a `=`, it is a name and its value, because the colon between them is missing.
        guard word.utf8.allSatisfy({ ASCII.isLetter($0) || ASCII.isDigit($0) || "-_.".utf8.contains($0) }) else { return false }
        return Excerpt.isSensitive(word) || Self.headers.contains(word.lowercased()) || word.lowercased().hasPrefix("x-")
    }

    /// The option that a name means without its first word, which is a vendor's: `aws_access_key_id`. nil if there is
    /// none.
    private func nameBehindFirstWord(of name: String) -> String? {
        guard let end = name.firstIndex(of: "_"), name[..<end].utf8.allSatisfy({ 0x61...0x7A ~= $0 }) else { return nil }
        let rest = String(name[end...].dropFirst())
        return options.contains(rest) ? rest : nil
    }

    /// No secret has so few characters.
    static let tooShortForSecret = 3

    private static let headers: Set = [
        "accept", "accept-encoding", "connection", "content-length", "content-type", "expect", "host", "http-referer", "keep-alive",
        "openai-beta", "openai-organization", "openai-project", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "x-title",
    ]

    /// Whether a word is an option of the top of the file.
    func isTopLevel(_ word: String) -> Bool { sections[""]?[word] != nil }

    /// The sections at the top of the file that hold secrets.
    static let secretSections: Set<String> = ["keys", "providers", "telemetry"]

    /// Whether a section at the top of the file may hold secrets: one of those that do, or one that is no misspelling
    /// of another.
    func mayHoldSecrets(_ section: String) -> Bool {
        let near = nearest(to: section, in: (sections[""] ?? [:]).keys.sorted())
        return Self.secretSections.contains(section) || near.map(Self.secretSections.contains) ?? true
    }

    // MARK: Values

    /// The options whose values are secrets.
    static let secretOptions: Set<String> = ["secret", "sha256", "api_key", "headers"]

    /// Whether a value, as the file has it, can't be a secret in the place of this option: a number, a time or a size
    /// where one belongs, one of the option's words, an address, or a name that the policy defines.
    func isHarmless(_ value: String, of option: String, known: Set<String>) -> Bool {
        if Self.switches.contains(value) { return true }
        // A key of 'failover' may be any status.
        let option =
            Int(option) != nil
            ? Failover.statusKey
            : options.contains(option)
                ? option : ForeignName.table[ForeignName.form(of: option)]?.first?.option ?? nearest(to: option, in: options) ?? option
        guard options.contains(option), !Self.secretOptions.contains(option) else { return false }
        if known.contains(value) || value.utf8.count <= Self.tooShortForSecret { return true }
        switch option {
        case "plugin" where isWord(value.lowercased()): return true
        case "plugin": return LookAlike.plain(value).utf8.allSatisfy { 0x21...0x7E ~= $0 } && !value.contains { $0.isUppercase }
        case "base_url", "endpoint": return value.contains("://") || value.contains(".")
        default: return sections.values.contains { section in section[option].map { isHarmless(value, as: $0) } ?? false }
        }
    }

    private func isHarmless(_ value: String, as kind: FieldKind) -> Bool {
        switch kind {
        case .text, .texts, .address: false
        case .bool: isQuantity(value)
        case .word(let words), .words(let words): isQuantity(value) || words.contains(value) || nearest(to: value, in: words) != nil
        case .integer, .number, .money, .duration, .size: isQuantity(value)
        case .other(let words): isQuantity(value) && !words.hasPrefix("by name")
        }
    }

    /// Words that are no secret anywhere.
    private static let switches: Set = ["true", "false", "yes", "no", "on", "off", "null", "~", "enabled", "disabled"]

    // MARK: Advice

    /// What to do about a key that its section doesn't have, as messages continue after `unknown key 'x'; `. nil if the
    /// key means nothing anywhere, or if it is more likely a misspelling of one of `known`, the keys that are known
    /// there.
    func advice(for key: String, in section: String, known: [String]) -> String? {
        func place(of owner: String, option: String) -> String { self.place(of: owner, option: option, from: section) }
        let foreign = (ForeignName.table[ForeignName.form(of: key)] ?? []).filter {
            if $0.words != nil { return $0.section == section }
            return $0.option != key && ($0.section != section || known.contains($0.option))
        }
        if let here = foreign.first(where: { $0.section == section }) {
            return here.advice(in: section, isInside: true, place: place(of:option:))
        }
        let inside = foreign.first { parents[$0.section]?.contains(section) == true }
        // A name in the other number is a misspelling, and what means an option elsewhere means the same one here.
        let other = key.hasSuffix("s") ? String(key.dropLast()) : key + "s"
        let same = known.contains(other) ? other : foreign.first { $0.isName && known.contains($0.option) }?.option
        if inside == nil, let same { return "did you mean '\(same)'?" }
        // What the key means elsewhere in the language comes before what it means to other programs. But the words of
        // conditions, failures and certificates mean nothing elsewhere.
        let owner = owner(of: key, from: section)
        let isOfWords = owner.map(Self.sectionsOfWords.contains) == true || owner == "failover" && section != "fallback_on"
        if let owner, foreign.isEmpty || !isOfWords { return "it belongs \(place(of: owner, option: key))" }
        if let inside {
            return inside.advice(in: section, isInside: true, place: place(of:option:))
        }
        guard nearest(to: key, in: known, atMost: foreign.isEmpty ? 3 : 1) == nil else { return nil }
        if let foreign = foreign.first {
            return foreign.advice(in: section, isInside: parents[foreign.section]?.contains(section) == true, place: place(of:option:))
        }
        guard let name = nameBehindFirstWord(of: key) else { return nil }
        if known.contains(name) { return "did you mean '\(name)'?" }
        return self.owner(of: name, from: section).map { "it is '\(name)' here, and belongs \(place(of: $0, option: name))" }
    }

    /// The sections whose options are ordinary words, which mean nothing elsewhere.
    private static let sectionsOfWords: Set = ["when", "listen", "listen.tls", "otlp"]

    /// How a section is written, for a value that is no mapping.
    ///
    /// - Parameter value: the value as the file has it; nil for a list. If it is what the section's most common option
    ///   takes, it is shown there.
    func form(of section: String, given value: String?) -> String? {
        if section == "retry", let value, ["off", "false", "none", "no", "never", "disabled"].contains(value.lowercased()) {
            return "write 'retry: { retries: 0 }'"
        }
        if let form = Self.entryForms[section] { return "write 'NAME: \(form)'" }
        if let value, value.hasPrefix("/"), sections[section]?["file"] != nil {
            return "write '\(section): { file: \(abbreviated(value)) }'"
        }
        guard let (option, sample) = Self.forms[section] else { return nil }
        let isAlike = value.map { isQuantity($0) && isQuantity(sample) && (Int($0) == nil) == (Int(sample) == nil) } == true
        return "write '\(section.split(separator: ".").last ?? ""): { \(option): \(isAlike ? value ?? sample : sample) }'"
            + (section == "price" ? ", in US dollars per million tokens" : "")
    }

    /// How a section whose keys are names is written.
    func form(ofNamed section: String) -> String? {
        Self.entryForms[section].map { "write '\(section): { NAME: \($0) }'" }
    }

    private static let entryForms = [
        "providers": "{ plugin: openai, api_key: \"${OPENAI_API_KEY}\" }", "models": "{ provider: NAME }", "routes": "{ try: [MODEL] }",
        "keys": "{ secret: \"${VARIABLE}\" }",
    ]

    /// The most common options of the sections.
    private static let forms = [
        "server": ("drain", "30s"), "state": ("file", "/var/lib/llm-router/state.db"), "log": ("level", "info"),
        "access": ("format", "json"),
        "telemetry": ("otlp", "{ endpoint: http://127.0.0.1:4318 }"),
        "otlp": ("endpoint", "http://127.0.0.1:4318"), "defaults": ("retry", "{ retries: 1 }"),
        "timeouts": ("total", "60s"), "retry": ("retries", "3"),
        "breaker": ("failures", "3"), "limits": ("requests_per_minute", "60"), "failover": ("429", "next"), "statistics": ("window", "10m"),
        "price": ("input", "0.27, output: 1.10"), "hedge": ("after", "3s"), "select": ("tags", "fast"),
        "fallback_on": ("context_overflow", "[MODEL]"), "keys.defaults": ("tags", "fast"), "expect": ("chosen", "MODEL"),
        "request": ("model", "NAME"),
    ]

    /// The nearest section that has an option.
    private func owner(of option: String, from section: String) -> String? {
        guard options.contains(option) else { return nil }
        // A test's request has names of its own, which mean nothing elsewhere.
        let ofTests: Set = ["tests", "request", "expect"]
        let excluded: Set = ofTests.contains(section) ? [section] : ofTests.union([section])
        let withoutWords = excluded.union(Self.sectionsOfWords)
        func around(_ section: String) -> [String] { neighbors[section] ?? [] }
        // What can be inside of the section comes before what it can be inside of.
        return nearestOwner(of: option, from: section, withoutWords, next: children)
            ?? nearestOwner(of: option, from: section, excluded, next: children)
            ?? nearestOwner(of: option, from: section, withoutWords, next: around)
            ?? nearestOwner(of: option, from: section, excluded, next: around)
    }

    private func children(of section: String) -> [String] {
        (neighbors[section] ?? []).filter { parents[$0]?.contains(section) == true }
    }

    private func nearestOwner(
        of option: String, from section: String, _ excluded: Set<String>, next: (String) -> [String]
    ) -> String? {
        var seen = excluded
        var ring = [section]
        while !ring.isEmpty {
            ring = ring.flatMap(next).filter { seen.insert($0).inserted }
            let owners = ring.filter { sections[$0]?[option] != nil }
            // What stands at the top of the file is meant to apply everywhere, and what stands deeper is not.
            if let owner = section.isEmpty ? owners.first : owners.first(where: { $0 != "defaults" }) ?? owners.first { return owner }
        }
        return nil
    }

    /// Where an option of a section is written, for a key of the section `current`.
    private func place(of section: String, option: String, from current: String) -> String {
        switch section {
        case "": return "at the top of the file, without indentation"
        case "providers": return "under its provider"
        case "models": return "under its model"
        case "routes": return "under its route"
        case "keys": return "under its key"
        case "tests": return "under its test"
        case "step":
            return option == "select" ? "in a step of 'try': write 'try: [{ select: { tags: … } }]'" : "beside 'select'"
        case "keys.defaults": return "under 'defaults' of its key"
        // The section itself, for an option that is written as `section: { … }`.
        case _ where option.isEmpty:
            let places = order.filter { parents[section]?.contains($0) == true }.map { place(of: $0, option: section, from: current) }
            return places.isEmpty ? "" : places.joined(separator: " or ")
        default: break
        }
        guard section.hasPrefix("providers.") else { return "under '\(section)'" }
        let owners = order.filter { $0.hasPrefix("providers.") && sections[$0]?[option] != nil }
        let isUnderProvider = current == "providers" || current.hasPrefix("providers.")
        guard owners.count == 1 || isUnderProvider else { return "under its provider" }
        let plugins = owners.prefix(4).map { "'\($0.dropFirst("providers.".count))'" }
        let names = plugins.dropLast().joined(separator: ", ") + (plugins.count > 1 ? " or " : "") + (plugins.last ?? "")
        return "under a provider with 'plugin: \(names.dropFirst())"
    }
}

/// Whether a text is a number, alone or with a unit, as YAML and programs write numbers: `5`, `.5`, `-1_000`, `5e-7`,
/// `0x1F`, `30s`.
func isQuantity(_ text: String) -> Bool {
    guard text.utf8.count <= 16 else { return false }
    let number = text.first == "-" || text.first == "+" ? text.dropFirst() : text[...]
    if number.hasPrefix("0x") { return number.dropFirst(2).allSatisfy(\.isHexDigit) && number.utf8.count > 2 }
    let digits = number.prefix { $0.isASCIIDigit || $0 == "." || $0 == "_" }
    guard digits.contains(where: \.isASCIIDigit), digits.first != "_" else { return false }
    var unit = number[digits.endIndex...]
    if let exponent = exponent(of: unit) { unit = unit.dropFirst(exponent) }
    return ["", "ms", "s", "m", "min", "h", "d", "k", "K", "M", "B", "KB", "MB", "GB", "KiB", "MiB", "GiB", "%", "rpm", "tpm"].contains(
        unit)
}

/// The length of an exponent such as `e-7` at the beginning of a text; nil if there is none.
private func exponent(of text: Substring) -> Int? {
    guard text.first == "e" || text.first == "E" else { return nil }
    let sign = text.dropFirst().first == "-" || text.dropFirst().first == "+" ? 1 : 0
    let digits = text.dropFirst(1 + sign).prefix(while: \.isASCIIDigit).count
    return digits > 0 ? 1 + sign + digits : nil
}
