/// A value of a configuration file, with the place where it stands. Aliases and merge keys are resolved; keys of a mapping are unique.
public struct ConfigNode: Sendable {
    public enum Content: Sendable {
        case scalar(ConfigScalar)
        case sequence([ConfigNode])
        case mapping([ConfigEntry])
    }

    public var position: SourcePosition
    public var content: Content

    public init(_ content: Content, at position: SourcePosition) {
        self.content = content
        self.position = position
    }

    /// Nothing, `~` or `null`, without quotes.
    public var isNull: Bool {
        if case .scalar(let scalar) = content { scalar.isNull } else { false }
    }

    /// A scalar that couldn't be substituted, which is reported elsewhere.
    public var isUnresolved: Bool {
        if case .scalar(let scalar) = content { scalar.isUnresolved } else { false }
    }

    /// What a person would call it: `a list`, `'abc'`. Shows what the file says, never a substituted value.
    public var shown: String {
        switch content {
        case .scalar(let scalar): scalar.isNull ? "nothing" : "'\(abbreviated(scalar.source))'"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

public struct ConfigEntry: Sendable {
    public var key: ConfigText
    public var value: ConfigNode

    public init(key: ConfigText, value: ConfigNode) {
        self.key = key
        self.value = value
    }
}

/// Text with the place where it stands.
public struct ConfigText: Sendable, Hashable {
    public var text: String
    public var position: SourcePosition
    /// As the file has it, before substitution. Messages show this one: a variable may hold a secret.
    public var source: String
    /// It is a placeholder: see `ConfigScalar.isUnresolved`.
    public var isUnresolved: Bool

    public init(_ text: String, at position: SourcePosition, source: String? = nil, isUnresolved: Bool = false) {
        self.text = text
        self.source = source ?? text
        self.position = position
        self.isUnresolved = isUnresolved
    }
}

/// Text that has no type yet: the schema gives it one.
public struct ConfigScalar: Sendable {
    public enum Style: Sendable {
        case plain
        /// In quotes of either kind, a block scalar, or tagged as a string.
        case quoted
    }

    /// After substitution.
    public var text: String
    /// As the file has it, before substitution. Messages show this one.
    public var source: String
    public var style: Style
    /// The environment variables in it that are unset or empty and have no default.
    public var unset: [String]
    /// A part of it couldn't be had, and that is reported already (or is in `unset`): readers take a placeholder and stay silent.
    public var isUnresolved: Bool

    /// A scalar without substitution.
    public init(_ text: String, style: Style = .plain) {
        self.init(text, source: text, style: style)
    }

    public init(_ text: String, source: String, style: Style, unset: [String] = [], isUnresolved: Bool = false) {
        self.text = text
        self.source = source
        self.style = style
        self.unset = unset
        self.isUnresolved = isUnresolved || !unset.isEmpty
    }

    public var isNull: Bool {
        style == .plain && !isUnresolved && (source.isEmpty || source == "~" || source == "null")
    }
}

/// At most 60 characters, without control characters.
public func abbreviated(_ text: String) -> String {
    let line = text.unicodeScalars.prefix(60).map { $0.properties.generalCategory == .control ? " " : String($0) }.joined()
    return text.unicodeScalars.dropFirst(60).isEmpty ? line : line + "…"
}
