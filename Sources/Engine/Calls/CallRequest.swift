package import Codecs
package import NIOCore
package import ProviderKit

/// What the client asked for, as far as the engine acts on it.
package struct CallRequest: Sendable {
    package let operation: ProviderKit.Operation
    package let isStream: Bool
    /// Whether the client asked for usage in its stream.
    package let wantsUsage: Bool
    package let body: ByteBuffer
    /// The body's top-level members without the router's own.
    package let members: [JSONMember]
    package let needs: RequestNeeds
    /// The key's name in the policy; nil where there are no keys.
    package let key: String?
    /// Choices of the response; 1 is usual.
    package let choices: Int
    /// When the request's head was complete: what the times in `CallRecord` and the call's total count from.
    package let arrivedAt: NIODeadline
    /// When its body was complete.
    package let readAt: NIODeadline

    package init(
        operation: ProviderKit.Operation, isStream: Bool, wantsUsage: Bool, body: ByteBuffer, members: [JSONMember],
        needs: RequestNeeds = RequestNeeds(),
        key: String? = nil, choices: Int = 1, arrivedAt: NIODeadline, readAt: NIODeadline
    ) {
        self.operation = operation
        self.isStream = isStream
        self.wantsUsage = wantsUsage
        self.body = body
        self.members = members
        self.needs = needs
        self.key = key
        self.choices = choices
        self.arrivedAt = arrivedAt
        self.readAt = readAt
    }
}

extension CallRequest {
    /// What token limits are charged at first; the true number settles it.
    var reservedTokens: Int { needs.promptTokens.addingSaturated(needs.maxTokens ?? 0) }
}
