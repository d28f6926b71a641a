import ConfigTree

/// An option that several levels of the policy may set: the nearest level that sets it wins
/// (request > route > model > provider > defaults).
struct LayeredOption<Settings, Overrides>: Sendable {
    let option: Option<Overrides>
    /// Puts what a level sets into the settings.
    let apply: @Sendable (Overrides, inout Settings) -> Void
    /// Sets the option to what the settings have.
    let fill: @Sendable (inout Overrides, Settings) -> Void

    init<Value: Sendable & Equatable>(
        _ key: String, _ setting: any WritableKeyPath<Settings, Value> & Sendable,
        _ override: any WritableKeyPath<Overrides, Value?> & Sendable,
        _ type: OptionType<Value>, help: String
    ) where Settings: OptionHolder {
        option = Option(key, override, type, .value(type.written(Settings()[keyPath: setting])), help: help)
        apply = { overrides, settings in if let value = overrides[keyPath: override] { settings[keyPath: setting] = value } }
        fill = { overrides, settings in overrides[keyPath: override] = settings[keyPath: setting] }
    }
}

/// Settings that come from several levels of the policy. `Overrides` is what one level sets; nil leaves an option to
/// the level below.
protocol LayeredSettings: OptionHolder, Equatable {
    associatedtype Overrides: OptionHolder & Equatable

    static var sectionName: String { get }
    static var about: String { get }
    static var layered: [LayeredOption<Self, Overrides>] { get }
    /// The words that stand for a whole section: `breaker: off`.
    static var shorthands: [(word: String, overrides: Overrides)] { get }
}

extension LayeredSettings {
    static var shorthands: [(word: String, overrides: Overrides)] { [] }

    /// What the section takes: `see breaker, or off`.
    static var kind: FieldKind { .other("see \(sectionName)" + shorthands.map { ", or \($0.word)" }.joined()) }

    /// The value that a level sets.
    static func value(of overrides: Overrides, in policy: RoutingPolicy) -> OptionValue {
        shorthands.first { $0.overrides == overrides }.map { .text($0.word) } ?? .section(section.entries(of: overrides, in: policy))
    }

    static var section: OptionSection<Overrides> { OptionSection(sectionName, about, layered.map(\.option)) }

    /// These settings, with what `overrides` sets in their place.
    func applying(_ overrides: Overrides) -> Self {
        guard overrides != Overrides() else { return self }
        return Self.layered.reduce(into: self) { $1.apply(overrides, &$0) }
    }

    /// Every option set, to what it is here.
    var asOverrides: Overrides { Self.layered.reduce(into: Overrides()) { $1.fill(&$0, self) } }
}

extension Option where Section: OptionHolder {
    /// `defaults`: what this level sets goes into the settings that every other level starts from.
    init<Settings: LayeredSettings>(
        defaults path: Path<Settings>, help: String,
        check: @escaping @Sendable (inout FieldReader, Settings.Overrides, _ base: Settings?) -> Void = { _, _, _ in }
    ) {
        self.init(
            Settings.sectionName, takes: Settings.kind, help: help,
            entries: { section, policy in
                let settings = section[keyPath: path]
                let word = Settings.shorthands.first { Settings().applying($0.overrides) == settings }
                let value = word.map { OptionValue.text($0.word) } ?? Settings.value(of: settings.asOverrides, in: policy)
                return [OptionEntry(Settings.sectionName, value)]
            },
            read: { fields, schema, section in
                let base = section[keyPath: path]
                if let overrides = schema.read(Settings.self, of: &fields, base: base, check) {
                    section[keyPath: path] = base.applying(overrides)
                }
            })
    }

    /// A level above `defaults`.
    ///
    /// - Parameter base: what the levels below give, if the schema knows it.
    init<Settings: LayeredSettings>(
        layer settings: Settings.Type, _ path: Path<Settings.Overrides>, help: String,
        base: @escaping @Sendable (PolicySchema, Section) -> Settings? = { _, _ in nil },
        check: @escaping @Sendable (inout FieldReader, Settings.Overrides, _ base: Settings?) -> Void = { _, _, _ in }
    ) {
        self.init(
            Settings.sectionName, takes: Settings.kind, help: help,
            inherit: { section, base in
                section[keyPath: path] = Settings.section.merged(section[keyPath: path], over: base[keyPath: path])
            },
            entries: { section, policy in
                let overrides = section[keyPath: path]
                return overrides == Settings.Overrides()
                    ? [] : [OptionEntry(Settings.sectionName, Settings.value(of: overrides, in: policy))]
            },
            read: { fields, schema, section in
                let outer = section
                if let overrides = schema.read(Settings.self, of: &fields, base: base(schema, outer), check) {
                    section[keyPath: path] = overrides
                }
            })
    }
}

extension PolicySchema {
    /// Reads what one level sets: a mapping, or a word that stands for one. nil if the key is absent.
    fileprivate mutating func read<Settings: LayeredSettings>(
        _ settings: Settings.Type, of fields: inout FieldReader, base: Settings?,
        _ check: (inout FieldReader, Settings.Overrides, _ base: Settings?) -> Void
    ) -> Settings.Overrides? {
        if let node = fields.node(Settings.sectionName), case .scalar(let scalar) = node.content, !node.isNull, !node.isUnresolved,
            let word = Settings.shorthands.first?.word
        {
            if let known = Settings.shorthands.first(where: { $0.word == scalar.text }) { return known.overrides }
            fields.report(
                Settings.sectionName, "'\(Settings.sectionName)' takes a mapping (key: value) or '\(word)', not \(node.displayText)",
                hint: "write '\(Settings.sectionName): \(word)', or options below it")
            return nil
        }
        return read(Settings.section, at: Settings.sectionName, of: &fields) { fields, _, overrides in
            check(&fields, overrides, base)
            return true
        }
    }
}
