import Logging
import NIOCore

/// A breaker that has opened or closed in one router, or a cooldown after a 429 there, for the others.
package struct BreakerNews: Sendable, Equatable {
    package enum Kind: Sendable {
        case breaker
        /// Of a model.
        case cooldown
    }

    package var kind = Kind.breaker
    package var name: SharedName
    /// For how long it is open or cools down; zero: that is over.
    package var openFor: Duration

    package init(_ kind: Kind = .breaker, name: SharedName, openFor: Duration) {
        (self.kind, self.name, self.openFor) = (kind, name, openFor)
    }

    /// nil if there is none to tell.
    init?(_ name: SharedName, _ transition: Breaker.Transition?, now: NIODeadline) {
        switch transition {
        case nil: return nil
        case .closed: self.init(name: name, openFor: .zero)
        case .opened(let until, _): self.init(name: name, openFor: max(until - now, .milliseconds(1)))
        }
    }
}

/// All breakers that are open in some router, and all models that cool down there after a 429, and for how long.
package struct SharedOutages: Sendable, Equatable {
    package var open: [SharedName: Duration]
    package var cooling: [SharedName: Duration]

    package init(open: [SharedName: Duration], cooling: [SharedName: Duration]) { (self.open, self.cooling) = (open, cooling) }
}

extension EngineLoop {
    /// Tells the other routers of a breaker that has opened or closed, if they share anything.
    func announce(_ transitions: BreakerTransitions, of key: ModelStateKey, in snapshot: Snapshot) {
        guard snapshot.sharesState, let shared else { return }
        let now = NIODeadline.now()
        for news in [
            BreakerNews(SharedName(key), transitions.model, now: now),
            BreakerNews(SharedName(provider: key.provider), transitions.account, now: now),
        ] {
            if let news { shared.announce(news) }
        }
    }

    /// Tells the other routers that an operator has closed the breakers of a model and of its provider's account.
    package func announceReset(of key: ModelStateKey, in snapshot: Snapshot) {
        announce(BreakerTransitions(model: .closed, account: .closed), of: key, in: snapshot)
        if snapshot.sharesState { announceCooldown(.zero, of: key) }
    }

    /// Tells the other routers for how long a model cools down after a 429; zero: no longer.
    func announceCooldown(_ cooldown: Duration, of key: ModelStateKey) {
        shared?.announce(BreakerNews(.cooldown, name: SharedName(key), openFor: max(cooldown, .zero)))
    }
}

extension Engine {
    /// Opens and closes breakers as those of other routers have, and lets models cool down as they do there.
    func receive(_ outages: SharedOutages) {
        let states = store.current.states, now = NIODeadline.now(), open = outages.open
        for state in states.models {
            state.breaker.follow(coolsDownFor: outages.cooling[SharedName(state.key)], now: now)
            let change = state.breaker.follow(openFor: open[SharedName(state.key)], now: now)
            log(change, "a model's breaker", ["provider": "\(state.key.provider)", "model": "\(state.key.name)"])
        }
        for (provider, account) in states.accounts {
            let change = account.follow(openFor: open[SharedName(provider: provider)], now: now)
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
