import ConfigTree

/// A value that a section of routes.yaml is read into. `init()` gives what applies if the section is empty.
protocol OptionHolder: Sendable {
    init()
}

/// A section of routes.yaml: a mapping with a fixed set of keys.
struct OptionSection<Value>: Sendable {
    /// What help calls it: its key, or its path if several sections have that key.
    let name: String
    /// What it is or where it may be, in a few words.
    let about: String
    let options: [Option<Value>]
    /// Keys that a later version will take. They are refused in words of their own.
    let reserved: [String]
    /// The option that a key stands for, if it is not the option's own.
    let naming: @Sendable (String) -> String

    init(
        _ name: String, _ about: String, reserved: [String] = [], naming: @escaping @Sendable (String) -> String = { $0 },
        _ options: [Option<Value>]
    ) {
        self.naming = naming
        self.name = name
        self.about = about
        self.options = options
        self.reserved = reserved
    }

    /// Everything that a value sets, in the order of the options.
    func entries(of value: Value, in policy: RoutingPolicy) -> [OptionEntry] {
        options.flatMap { $0.entries(value, policy) }
    }

    /// A value with what `base` sets wherever the value sets nothing.
    func merged(_ value: Value, over base: Value) -> Value {
        options.reduce(into: value) { $1.inherit(&$0, base) }
    }

    /// The hint of an error at a key that has no better one.
    func hint(_ key: String) -> String? {
        options.first { $0.key == naming(key) }.map { "'\(key)': \($0.help)\($0.absence.shown.map { " (\($0))" } ?? "")" }
    }

    var reference: OptionReference.Section {
        OptionReference.Section(
            name: name, about: about,
            rows: options.map { .init(key: $0.key, kind: $0.kind, absence: $0.absence, help: $0.help) }, reserved: reserved)
    }
}

extension PolicySchema {
    /// Reads every option of a section and reports the keys that it does not have.
    mutating func read<Value>(_ section: OptionSection<Value>, _ fields: inout FieldReader, into value: inout Value) {
        for option in section.options {
            fields.declare(option.key, as: option.kind)
            option.read(&fields, &self, &value)
        }
    }

    /// Reads a mapping inside `fields`. nil if the key is absent, or if `accepts` refuses the value.
    mutating func read<Inner: OptionHolder>(
        _ section: OptionSection<Inner>, at key: String, of fields: inout FieldReader,
        accepts: (inout FieldReader, inout PolicySchema, Inner) -> Bool
    ) -> Inner? {
        guard let entry = fields.entry(key) else { return nil }
        var inner = FieldReader(entry.value, of: entry.key)
        var value = Inner()
        read(section, &inner, into: &value)
        let isAccepted = accepts(&inner, &self, value)
        finish(&inner, section)
        return isAccepted ? value : nil
    }

    /// Takes over what the reader of a section found.
    mutating func finish<Value>(_ fields: inout FieldReader, _ section: OptionSection<Value>) {
        let vocabulary = vocabulary
        add(
            fields.finish(
                reserved: section.reserved, reference: section.hint, form: { vocabulary.form(of: section.name, given: $0) },
                advice: { vocabulary.advice(for: $0, in: section.name, known: $1) }),
            secrets: fields.secretPositions)
    }
}
