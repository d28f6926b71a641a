/// A value that is never shown: it prints as `<secret>` everywhere, and only `reveal()` opens it.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    public init(_ value: String) {
        self.value = value
    }

    public var description: String { "<secret>" }
    public var debugDescription: String { "<secret>" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// The value itself. Called where a request's bytes are made, and where text is masked; a search for the name finds every place.
    public func reveal() -> String { value }
}
