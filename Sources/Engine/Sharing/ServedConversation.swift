import NIOCore
import ProviderKit
import RoutingPolicy

/// The model that last served a conversation, and the host behind its provider, by the names that all routers know.
package struct ServedConversation: Sendable, Equatable {
    package var provider: String
    package var model: String
    /// nil if the provider named none.
    package var host: String?

    package init(provider: String, model: String, host: String?) {
        (self.provider, self.model, self.host) = (provider, model, host)
    }
}

extension RunningCall {
    /// Asks the other routers which model last served the conversation, and plans the request anew if it is another
    /// one than this router knows. The plan is made first, because the route decides whether there is a conversation.
    ///
    /// - Parameter proceed: called later if this returns true.
    func asksForConversation(proceed: @escaping () -> Void) -> Bool {
        guard let replan = replan.take(), let conversation = machine.plan.conversation, let shared = loop.shared else { return false }
        return shared.lastServed(conversation.id) { [self] served in
            if machine.hasEnded { return }
            if let served {
                let name = ModelName(provider: served.provider, model: served.model), now = NIODeadline.now()
                let isNews = loop.sticky.model(of: conversation, now: now) != name
                loop.sticky.remember(name, at: served.host, for: conversation, now: now)
                if isNews, let plan = replan() {
                    machine = CallMachine(
                        plan, needs: needs, in: snapshot, deadline: machine.deadline, random: SplitMix64(seed: loop.nextRandom()))
                }
            }
            proceed()
        }
    }

    /// Remembers the model that served the conversation, and the host behind its provider. A fallback is not
    /// remembered: it is for when everything else has failed.
    func rememberModel(servedBy server: ServedBy?) {
        // Read from the field, because `plan` would copy the complete plan.
        guard let conversation = machine.plan.conversation, !record.isFallback, let provider = record.provider, let model = record.model
        else { return }
        let host: String? = if case .host(let name)? = server { name } else { nil }
        loop.sticky.remember(ModelName(provider: provider, model: model), at: host, for: conversation, now: .now())
        guard snapshot.sharesState else { return }
        loop.shared?.remember(
            ServedConversation(provider: provider, model: model, host: host), for: conversation.id, lasting: conversation.ttl)
    }
}
