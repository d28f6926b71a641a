/// `sticky:` of a route: the model that last served a conversation goes first while it can, because its provider has
/// the conversation in its cache.
package struct Sticky: Sendable, Equatable, OptionHolder {
    /// What identifies a conversation.
    package enum Identity: Sendable, Equatable {
        /// A header field with which clients name their session.
        case session
        /// The body's `prompt_cache_key`.
        case promptCacheKey
        /// The body's `user`, or `metadata.user_id`.
        case user
        /// The beginning of the conversation: its system prompt, tools and first user message.
        case prefix
        /// This header field, in lower case.
        case header(String)
    }

    /// The first that a request has identifies its conversation.
    package var identities: [Identity] = [.session, .promptCacheKey, .user, .prefix]
    /// How long the model is remembered after the last request.
    package var ttl: Duration = .seconds(600)

    package init() {}
}

extension Sticky.Identity {
    private static let words: [(word: String, identity: Self)] = [
        ("session", .session), ("prompt_cache_key", .promptCacheKey), ("user", .user), ("prefix", .prefix),
    ]
    private static let headerPrefix = "header:"

    /// What `by` takes, for messages.
    static let allowed = words.map(\.word) + [headerPrefix + "NAME"]

    /// nil if there is no such word.
    init?(word: String) {
        if let known = Self.words.first(where: { $0.word == word }) {
            self = known.identity
        } else if word.hasPrefix(Self.headerPrefix), word.utf8.count > Self.headerPrefix.utf8.count,
            HeaderCondition.isName(String(word.dropFirst(Self.headerPrefix.count)))
        {
            self = .header(word.dropFirst(Self.headerPrefix.count).lowercased())
        } else {
            return nil
        }
    }

    /// As routes.yaml writes it.
    package var word: String {
        if case .header(let name) = self { return Self.headerPrefix + name }
        return Self.words.first { $0.identity == self }?.word ?? ""
    }
}
