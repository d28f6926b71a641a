/// A value that must never be shown. It prints as `<secret>` everywhere, and only ``reveal()`` returns the value.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// Creates a secret.
    public init(_ value: String) {
        self.value = value
    }

    /// Always `<secret>`.
    public var description: String { "<secret>" }
    /// Always `<secret>`.
    public var debugDescription: String { "<secret>" }
    /// A mirror without children, so that no dump shows the value.
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// The value itself. Call it only to write a request or to mask a text, so that a search for its name finds every
    /// place where a secret is used.
    public func reveal() -> String { value }
}
