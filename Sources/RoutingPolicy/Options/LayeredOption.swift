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
}

extension LayeredSettings {
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
        let section = Settings.section
        self.init(
            section.name, takes: .other("see \(section.name)"), help: help,
            entries: { [OptionEntry(section.name, .section(section.entries(of: $0[keyPath: path].asOverrides, in: $1)))] },
            read: { fields, schema, value in
                let base = value[keyPath: path]
                let overrides = schema.read(section, at: section.name, of: &fields) { fields, _, overrides in
                    check(&fields, overrides, base)
                    return true
                }
                if let overrides { value[keyPath: path] = base.applying(overrides) }
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
        self.init(section: settings.sectionName, path, settings.section, help: help) { fields, schema, overrides, section in
            check(&fields, overrides, base(schema, section))
        }
    }
}
