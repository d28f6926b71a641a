package import NIOCore
package import ProviderKit
import RoutingPolicy
import Synchronization

/// What is known of a provider's own list of models. It belongs to the provider's instance, and all event loops share
/// it.
final class ModelListing: Sendable {
    private struct State {
        var models: [String: ListedModel] = [:]
        /// When the list was last fetched, or fetching began; nil: never.
        var fetchedAt: NIODeadline?
        var isFetching = false
        var waiters: [EventLoopPromise<Void>] = []
    }

    enum Lookup {
        /// The list is recent, or can't be fetched now.
        case known(ListedModel?)
        /// The caller fetches the list, and calls `fetched`.
        case fetch
        /// Another caller fetches the list. The promise is fulfilled then.
        case wait
    }

    private let state = Mutex(State())

    /// - Parameters:
    ///   - id: the provider's own name of the model.
    ///   - ttl: how long a list is recent. One that could not be fetched counts as empty, for as long.
    ///   - waiter: fulfilled when the list has arrived, if the result is `wait`.
    func look(up id: String, ttl: Duration, now: NIODeadline, waiter: EventLoopPromise<Void>) -> Lookup {
        state.withLock { state in
            if state.isFetching {
                state.waiters.append(waiter)
                return .wait
            }
            if let fetchedAt = state.fetchedAt, now < fetchedAt + TimeAmount(ttl) { return .known(state.models[id]) }
            (state.isFetching, state.fetchedAt) = (true, now)
            return .fetch
        }
    }

    /// - Parameter models: nil if the list could not be fetched.
    func fetched(_ models: [ListedModel]?) {
        let waiters = state.withLock { state in
            state.models = Dictionary((models ?? []).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            state.isFetching = false
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.succeed() }
    }

    func model(_ id: String) -> ListedModel? { state.withLock { $0.models[id] } }
}

extension EngineLoop {
    /// How long a response waits for a list.
    private static let maxWait = TimeAmount.seconds(2)
    /// How long a list may take. A response that has not waited so long finds it the next time.
    private static let maxFetch = Duration.seconds(15)
    /// The most models of one list whose details are asked for, each with a request of its own.
    private static let maxDetails = 200

    /// The most pages of a list. One that has more may have no end.
    private static let maxPages = 100

    /// A provider's own list of models, with all of its pages; nil if the provider is off or has none.
    ///
    /// - Parameter provider: an index into the policy's providers.
    package func models(ofProvider provider: Int, in snapshot: Snapshot, within limit: Duration) -> EventLoopFuture<[ListedModel]>? {
        guard let instance = snapshot.instances[provider] else { return nil }
        let timeouts = snapshot.policy.defaults.timeouts.overridden(by: snapshot.policy.providers[provider].timeouts)
        let provider = self.provider(of: instance), translator = provider.translator
        guard let request = translator.modelsRequest() else { return nil }
        let bound = NIOLoopBound(provider, eventLoop: eventLoop)
        return pages(after: [], request, of: bound, timeouts: timeouts, until: .now() + TimeAmount(limit)).flatMap { [eventLoop] models in
            let details = models.prefix(Self.maxDetails).map { model -> EventLoopFuture<ListedModel> in
                guard let request = translator.detailsRequest(for: model) else { return eventLoop.makeSucceededFuture(model) }
                let details = ProviderQuery.send(request, to: bound.value, timeouts: timeouts, within: limit, on: eventLoop) {
                    body throws(ProviderError) in try translator.model(model, from: body)
                }
                // What the list says counts without the details too.
                return details.flatMapErrorThrowing { _ in model }
            }
            return EventLoopFuture.whenAllSucceed(details, on: eventLoop).map { $0 + models.dropFirst(Self.maxDetails) }
        }
    }

    /// The models of a list's pages: those that have arrived, and what the request and those after it get.
    private func pages(
        after earlier: [[ListedModel]], _ request: UpstreamRequest, of provider: NIOLoopBound<LoopProvider>, timeouts: Timeouts,
        until deadline: NIODeadline
    ) -> EventLoopFuture<[ListedModel]> {
        let translator = provider.value.translator, limit = Duration.nanoseconds(max(0, (deadline - NIODeadline.now()).nanoseconds))
        let page = ProviderQuery.send(request, to: provider.value, timeouts: timeouts, within: limit, on: eventLoop) {
            body throws(ProviderError) in (models: try translator.models(from: body), next: translator.modelsRequest(after: body))
        }
        return page.flatMap { page in
            let arrived = earlier + [page.models]
            guard let next = page.next else { return self.eventLoop.makeSucceededFuture(arrived.flatMap(\.self)) }
            guard arrived.count < Self.maxPages else {
                let error = ProviderError(.upstreamError, message: "the list of models has more than \(Self.maxPages) pages")
                return self.eventLoop.makeFailedFuture(error)
            }
            return self.pages(after: arrived, next, of: provider, timeouts: timeouts, until: deadline)
        }
    }

    /// What the provider's own list says about a model; nil if the list does not have it, or can't be fetched within
    /// two seconds. The list is fetched at most once per `server.models_ttl`.
    ///
    /// - Parameter model: an index into the snapshot's models.
    package func listing(ofModel model: Int, in snapshot: Snapshot) -> EventLoopFuture<ListedModel?> {
        let definition = snapshot.models[model], ttl = snapshot.policy.server.modelsTTL
        guard ttl > .zero, let instance = snapshot.instance(ofModel: model) else { return eventLoop.makeSucceededFuture(nil) }
        let arrived = eventLoop.makePromise(of: Void.self), id = definition.upstream
        switch instance.listing.look(up: id, ttl: ttl, now: .now(), waiter: arrived) {
        case .known(let listed):
            arrived.succeed()
            return eventLoop.makeSucceededFuture(listed)
        case .wait:
            break
        case .fetch:
            guard let list = models(ofProvider: definition.provider, in: snapshot, within: Self.maxFetch) else {
                instance.listing.fetched(nil)
                arrived.succeed()
                break
            }
            list.whenComplete { result in
                instance.listing.fetched(try? result.get())
                arrived.succeed()
            }
        }
        let found = eventLoop.makePromise(of: ListedModel?.self)
        let timer = eventLoop.scheduleTask(in: Self.maxWait) { found.succeed(nil) }
        arrived.futureResult.whenComplete { _ in
            timer.cancel()
            found.succeed(instance.listing.model(id))
        }
        return found.futureResult
    }
}
