import NIOCore
import RoutingPolicy
import Synchronization

/// The models that last served the conversations on routes with `sticky`. It outlives the policies, and all event loops
/// share it. The last 65,536 conversations are kept.
package final class StickyMemory: Sendable {
    static let capacity = 65_536

    private struct Entry {
        var model: ModelName
        var end: NIODeadline
    }

    private let entries = Mutex(RecentEntries<Int, Entry>(capacity: capacity))

    package init() {}

    /// The model that last served the conversation; nil if none did within its `ttl`.
    func model(of conversation: Conversation, now: NIODeadline) -> ModelName? {
        entries.withLock { $0.peek(conversation.id) }.flatMap { now < $0.end ? $0.model : nil }
    }

    /// Remembers the model for the conversation's `ttl` from now on.
    func remember(_ model: ModelName, for conversation: Conversation, now: NIODeadline) {
        let entry = Entry(model: model, end: now + TimeAmount(conversation.ttl))
        entries.withLock { $0.set(conversation.id, to: entry) }
    }
}
