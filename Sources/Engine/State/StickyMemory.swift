import NIOCore
import RoutingPolicy
import Synchronization

/// The models that last served the conversations on routes with `sticky`. It outlives the policies, and all event loops
/// share it. The last 65,536 conversations are kept.
package final class StickyMemory: Sendable {
    static let capacity = 65_536

    private struct Entry {
        var model: ModelName
        /// The server behind the provider, as the provider named it; nil if it named none.
        var host: String?
        var end: NIODeadline
    }

    private let entries = Mutex(RecentEntries<UInt128, Entry>(capacity: capacity))

    package init() {}

    /// The model that last served the conversation; nil if none did within its `ttl`.
    func model(of conversation: Conversation, now: NIODeadline) -> ModelName? {
        entry(of: conversation, now: now)?.model
    }

    /// The server behind the provider that last served the conversation, if that was with this model; nil if none is
    /// known.
    func host(of conversation: Conversation, at model: ModelName, now: NIODeadline) -> String? {
        entry(of: conversation, now: now).flatMap { $0.model == model ? $0.host : nil }
    }

    private func entry(of conversation: Conversation, now: NIODeadline) -> Entry? {
        entries.withLock { $0.peek(conversation.id) }.flatMap { now < $0.end ? $0 : nil }
    }

    /// Remembers the model, and the server behind its provider, for the conversation's `ttl` from now on.
    func remember(_ model: ModelName, at host: String? = nil, for conversation: Conversation, now: NIODeadline) {
        let entry = Entry(model: model, host: host, end: now + TimeAmount(conversation.ttl))
        entries.withLock { $0.set(conversation.id, to: entry) }
    }
}
