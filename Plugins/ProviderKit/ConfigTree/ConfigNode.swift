/// A value of a configuration file, with its place in the file.
///
/// The tree is what remains of the file's syntax: aliases and merge keys are resolved, and the keys of a mapping are
/// unique.
public struct ConfigNode: Sendable {
    /// The value itself.
    public enum Content: Sendable {
        /// A single value, such as text or a number.
        case scalar(ConfigScalar)
        /// A list of values, in the order of the file.
        case sequence([ConfigNode])
        /// Keys with values, in the order of the file.
        case mapping([ConfigEntry])
    }

    /// The place where the value begins.
    public var position: SourcePosition
    /// The value itself.
    public var content: Content

    /// Creates a value.
    public init(_ content: Content, at position: SourcePosition) {
        self.content = content
        self.position = position
    }

    /// Whether the value is missing: an empty scalar, `~` or `null`, without quotes.
    public var isNull: Bool {
        if case .scalar(let scalar) = content { scalar.isNull } else { false }
    }

    /// Whether the value is a scalar whose text is unknown. See ``ConfigScalar/isUnresolved``.
    public var isUnresolved: Bool {
        if case .scalar(let scalar) = content { scalar.isUnresolved } else { false }
    }

    /// The value as messages name it: `a list`, `a mapping`, `nothing`, or a scalar in quotes, as the file has it. It
    /// never contains a substituted value.
    public var displayText: String {
        switch content {
        case .scalar(let scalar): scalar.isNull ? "nothing" : "'\(abbreviated(scalar.source))'"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// An entry of a mapping.
public struct ConfigEntry: Sendable {
    /// The key.
    public var key: ConfigText
    /// The value. An entry without a value has a node for which ``ConfigNode/isNull`` is true.
    public var value: ConfigNode

    /// Creates an entry.
    public init(key: ConfigText, value: ConfigNode) {
        self.key = key
        self.value = value
    }
}

/// A text with its place in the file.
public struct ConfigText: Sendable, Hashable {
    /// The text after substitution.
    public var text: String
    /// The place where the text begins.
    public var position: SourcePosition
    /// The text as the file has it, before substitution. Messages must quote this one: a variable may contain a secret.
    public var source: String
    /// Whether ``text`` is only a placeholder. See ``ConfigScalar/isUnresolved``.
    public var isUnresolved: Bool

    /// Creates a text. Its source is the text as the file has it, and nil if nothing was substituted.
    public init(_ text: String, at position: SourcePosition, source: String? = nil, isUnresolved: Bool = false) {
        self.text = text
        self.source = source ?? text
        self.position = position
        self.isUnresolved = isUnresolved
    }
}

/// A single value that has no type yet. The method of ``FieldReader`` that reads it decides the type.
public struct ConfigScalar: Sendable {
    /// How a value is written.
    public enum Style: Sendable {
        /// Without quotes.
        case plain
        /// In quotes of either kind, as a block scalar, or with a tag that makes it a string.
        case quoted
    }

    /// The text after substitution.
    public var text: String
    /// The text as the file has it, before substitution. Messages must quote this one: a variable may contain a secret.
    public var source: String
    /// How the value is written.
    public var style: Style
    /// The environment variables in the text that are unset or empty and have no default.
    public var unset: [String]
    /// Whether a part of the text could not be substituted.
    ///
    /// The cause is reported elsewhere, or is in ``unset``. Readers return a placeholder for such a value and report
    /// nothing, so that the rest of the file is still checked.
    public var isUnresolved: Bool

    /// Creates a value without substitution.
    public init(_ text: String, style: Style = .plain) {
        self.init(text, source: text, style: style)
    }

    /// Creates a value from its text after substitution and its text in the file. A value with `unset` variables is
    /// unresolved.
    public init(_ text: String, source: String, style: Style, unset: [String] = [], isUnresolved: Bool = false) {
        self.text = text
        self.source = source
        self.style = style
        self.unset = unset
        self.isUnresolved = isUnresolved || !unset.isEmpty
    }

    /// Whether the value is missing: empty, `~` or `null`, without quotes.
    public var isNull: Bool {
        style == .plain && !isUnresolved && (source.isEmpty || source == "~" || source == "null")
    }
}

/// A text as messages quote it: at most 60 characters (Unicode scalars) on one line. Control characters become spaces,
/// and an ellipsis marks a text that was cut.
public func abbreviated(_ text: String) -> String {
    let line = text.unicodeScalars.prefix(60).map { $0.properties.generalCategory == .control ? " " : String($0) }.joined()
    return text.unicodeScalars.dropFirst(60).isEmpty ? line : line + "…"
}
