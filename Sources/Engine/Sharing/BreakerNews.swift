import Logging
import NIOCore

/// Names a breaker in the same way in all routers.
package struct BreakerName: Sendable, Hashable {
    package var provider: String
    /// The model's name and its name at the upstream; nil for the breaker of the provider's account.
    package var model: String?
    package var upstream: String?

    package init(provider: String, model: String? = nil, upstream: String? = nil) {
        (self.provider, self.model, self.upstream) = (provider, model, upstream)
    }

    init(_ key: ModelStateKey) { self.init(provider: key.provider, model: key.name, upstream: key.upstream) }
}

/// A breaker that has opened or closed in one router, for the others.
package struct BreakerNews: Sendable, Equatable {
    package var name: BreakerName
    /// For how long it is open; zero: it has closed.
    package var openFor: Duration

    package init(name: BreakerName, openFor: Duration) { (self.name, self.openFor) = (name, openFor) }

    /// nil if there is none to tell.
    init?(_ name: BreakerName, _ transition: Breaker.Transition?, now: NIODeadline) {
        switch transition {
        case nil: return nil
        case .closed: self.init(name: name, openFor: .zero)
        case .opened(let until, _): self.init(name: name, openFor: max(until - now, .milliseconds(1)))
        }
    }
}

extension EngineLoop {
    /// Tells the other routers of a breaker that has opened or closed, if they share anything.
    func announce(_ transitions: BreakerTransitions, of key: ModelStateKey, in snapshot: Snapshot) {
        guard snapshot.sharesState, let shared else { return }
        let now = NIODeadline.now()
        for news in [
            BreakerNews(BreakerName(key), transitions.model, now: now),
            BreakerNews(BreakerName(provider: key.provider), transitions.account, now: now),
        ] {
            if let news { shared.announce(news) }
        }
    }

    /// Tells the other routers that an operator has closed the breakers of a model and of its provider's account.
    package func announceReset(of key: ModelStateKey, in snapshot: Snapshot) {
        announce(BreakerTransitions(model: .closed, account: .closed), of: key, in: snapshot)
    }
}

extension Engine {
    /// Opens and closes breakers as those of other routers have.
    ///
    /// - Parameter open: all breakers that are open somewhere, and for how long.
    func receive(open: [BreakerName: Duration]) {
        let states = store.current.states, now = NIODeadline.now()
        for state in states.models {
            let change = state.breaker.follow(openFor: open[BreakerName(state.key)], now: now)
            log(change, "a model's breaker", ["provider": "\(state.key.provider)", "model": "\(state.key.name)"])
        }
        for (provider, account) in states.accounts {
            let change = account.follow(openFor: open[BreakerName(provider: provider)], now: now)
            log(change, "the breaker of a provider's account", ["provider": "\(provider)"])
        }
    }

    private func log(_ change: Breaker.Following?, _ breaker: String, _ subject: Logger.Metadata) {
        switch change {
        case nil: break
        case .opened: logger.warning("\(breaker) opened, because another router's has", metadata: subject)
        case .closed: logger.info("\(breaker) closed, because another router's has", metadata: subject)
        }
    }
}
