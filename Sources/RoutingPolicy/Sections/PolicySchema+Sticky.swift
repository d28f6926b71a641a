import ConfigTree

extension Sticky {
    static let section = OptionSection<Sticky>(
        "sticky", "may be set on a route: the model that last served a conversation goes first while it can",
        [
            Option(
                "by", takes: .other("list of \(Identity.allowed.joined(separator: ", "))"),
                .value("[\(Sticky().identities.map(\.word).joined(separator: ", "))]"),
                help: "what identifies a conversation; the first of these that a request has",
                entries: { sticky, _ in [OptionEntry("by", .list(sticky.identities.map(\.word)))] },
                read: { fields, _, sticky in if let identities = fields.identities() { sticky.identities = identities } }),
            Option("ttl", \.ttl, .duration, help: "how long the model is remembered after the conversation's last request"),
        ])
}

extension FieldReader {
    /// nil if `by` is absent, or with an issue.
    fileprivate mutating func identities() -> [Sticky.Identity]? {
        guard let texts = texts("by") else { return nil }
        reportEmptyList("by")
        let identities = texts.compactMap { text -> Sticky.Identity? in
            if text.isUnresolved { return nil }
            if let identity = Sticky.Identity(word: text.text) { return identity }
            let near = nearest(to: text.text, in: Sticky.Identity.allowed)
            report(
                ConfigIssue(
                    at: text.position, "'by' can't be '\(abbreviated(text.source))'" + (near.map { "; did you mean '\($0)'?" } ?? ""),
                    hint: near == nil ? "allowed: \(Sticky.Identity.allowed.joined(separator: ", "))" : nil))
            return nil
        }
        return identities.isEmpty ? nil : identities
    }
}
