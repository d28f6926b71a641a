import ConfigTree

/// One option of a section of routes.yaml, and everything that the router knows about it.
///
/// Reading, bounds, defaults, `help config`, the digest, the difference that a reload logs and the explanation of a
/// request are derived from these descriptors. A new option is a stored property of its section's value and one
/// descriptor.
struct Option<Section>: Sendable {
    let key: String
    /// What the option takes, with its bounds.
    let kind: FieldKind
    /// What the option is for, in one line.
    let help: String
    let absence: OptionAbsence
    /// Reads the option into the section's value. Problems go into the reader or the schema.
    let read: @Sendable (inout FieldReader, inout PolicySchema, inout Section) -> Void
    /// What a section's value sets; empty if the option is absent.
    let entries: @Sendable (Section, RoutingPolicy) -> [OptionEntry]
    /// Takes the option's value from the second section if the first does not set it.
    let inherit: @Sendable (inout Section, Section) -> Void

    init(
        _ key: String, takes kind: FieldKind, _ absence: OptionAbsence = .unstated, help: String,
        inherit: @escaping @Sendable (inout Section, Section) -> Void = { _, _ in },
        entries: @escaping @Sendable (Section, RoutingPolicy) -> [OptionEntry],
        read: @escaping @Sendable (inout FieldReader, inout PolicySchema, inout Section) -> Void
    ) {
        self.key = key
        self.kind = kind
        self.help = help
        self.absence = absence
        self.read = read
        self.entries = entries
        self.inherit = inherit
    }
}

/// What applies if an option is absent.
enum OptionAbsence: Sendable {
    case required
    /// A value, as routes.yaml writes it.
    case value(String)
    /// In words: `none`, `no limit`.
    case words(String)
    /// The help line says it, or nothing needs to be said.
    case unstated

    /// As `help config` shows it.
    var shown: String? {
        switch self {
        case .value(let text): "default \(text)"
        case .required: "required"
        case .words(let words): "default: \(words)"
        case .unstated: nil
        }
    }
}

extension Option {
    typealias Path<Value> = any WritableKeyPath<Section, Value> & Sendable

    /// An option that a section may leave out: nil then.
    init<Value: Sendable>(
        _ key: String, _ path: Path<Value?>, _ type: OptionType<Value>, _ absence: OptionAbsence = .unstated, help: String
    ) {
        self.init(
            key, takes: type.kind, absence, help: help,
            inherit: { section, base in if section[keyPath: path] == nil { section[keyPath: path] = base[keyPath: path] } },
            entries: { section, _ in section[keyPath: path].map { [OptionEntry(key, .text(type.written($0)))] } ?? [] },
            read: { fields, _, section in section[keyPath: path] = type.read(&fields, key) })
    }

    /// A mapping inside the section. nil if it is absent or has an error in it that leaves no value.
    init<Inner: OptionHolder>(
        section key: String, _ path: Path<Inner?>, _ inner: OptionSection<Inner>, _ absence: OptionAbsence = .unstated, help: String,
        check: @escaping @Sendable (inout FieldReader, inout PolicySchema, Inner, Section) -> Bool = { _, _, _, _ in true }
    ) {
        self.init(
            key, takes: .other("see \(inner.name)"), absence, help: help,
            entries: { section, policy in
                section[keyPath: path].map { [OptionEntry(key, .section(inner.entries(of: $0, in: policy)))] } ?? []
            },
            read: { fields, schema, section in
                let outer = section
                section[keyPath: path] = schema.read(inner, at: key, of: &fields) { check(&$0, &$1, $2, outer) }
            })
    }
}

extension Option where Section: OptionHolder {
    /// An option whose default is the one that `Section()` has.
    init<Value: Sendable & Equatable>(_ key: String, _ path: Path<Value>, _ type: OptionType<Value>, help: String) {
        self.init(
            key, takes: type.kind, .value(type.written(Section()[keyPath: path])), help: help,
            entries: { section, _ in [OptionEntry(key, .text(type.written(section[keyPath: path])))] },
            read: { fields, _, section in if let value = type.read(&fields, key) { section[keyPath: path] = value } })
    }

    /// A mapping inside the section, each of whose options has a default or may be left out.
    init<Inner: OptionHolder>(
        section key: String, _ path: Path<Inner>, _ inner: OptionSection<Inner>, _ absence: OptionAbsence = .unstated, help: String,
        check: @escaping @Sendable (inout FieldReader, inout PolicySchema, Inner, Section) -> Void = { _, _, _, _ in }
    ) {
        self.init(
            key, takes: .other("see \(inner.name)"), absence, help: help,
            inherit: { section, base in section[keyPath: path] = inner.merged(section[keyPath: path], over: base[keyPath: path]) },
            entries: { section, policy in
                let entries = inner.entries(of: section[keyPath: path], in: policy)
                return entries.isEmpty ? [] : [OptionEntry(key, .section(entries))]
            },
            read: { fields, schema, section in
                let outer = section
                let value = schema.read(inner, at: key, of: &fields) {
                    check(&$0, &$1, $2, outer)
                    return true
                }
                if let value { section[keyPath: path] = value }
            })
    }
}
