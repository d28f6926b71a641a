import RoutingPolicy

/// One thing that a policy says of something, as a reload compares it.
struct Fact {
    enum Value: Equatable {
        case text(String)
        /// Of names: where there are many, only those that come and go are told.
        case list([String])
        /// That it changed is all there is to say: a secret, or more than a line shows.
        case opaque([UInt8])
        /// Compared by its owner.
        case settings((any ProviderSettings)?)

        static func == (left: Value, right: Value) -> Bool {
            switch (left, right) {
            case (.text(let left), .text(let right)): left == right
            case (.list(let left), .list(let right)): left == right
            case (.opaque(let left), .opaque(let right)): left == right
            // That a provider is off, or on again, is told by another fact.
            case (.settings(let left?), .settings(let right?)): left.isEqual(to: right)
            case (.settings, .settings): true
            default: false
            }
        }
    }

    var field: String
    var value: Value

    init(_ field: String, _ text: String) {
        self.field = field
        value = .text(text)
    }

    init(_ field: String, _ value: Value) {
        self.field = field
        self.value = value
    }

    /// nil where nothing changed.
    func change(from old: Fact) -> String? {
        guard value != old.value else { return nil }
        switch (old.value, value) {
        case (.text(let was), .text(let now)): return change(was, now)
        case (.list(let was), .list(let now)):
            if was.count <= 8, now.count <= 8 { return change(was.joined(separator: ", "), now.joined(separator: ", ")) }
            let (gone, come) = (Set(was), Set(now))
            let parts = [("+", now.filter { !gone.contains($0) }), ("-", was.filter { !come.contains($0) })].filter { !$0.1.isEmpty }
            return ([field] + parts.map { "\($0) \(shortened($1))" }).joined(separator: " ")
        default: return "\(field) changed"
        }
    }

    private func change(_ was: String, _ now: String) -> String {
        func shown(_ text: String) -> String { text.isEmpty ? "(none)" : text }
        return max(was.utf8.count, now.utf8.count) > 300 ? "\(field) changed" : "\(field) \(shown(was)) -> \(shown(now))"
    }

    private func shortened(_ names: [String]) -> String {
        names.prefix(8).joined(separator: ", ") + (names.count > 8 ? " and \(names.count - 8) more" : "")
    }
}
