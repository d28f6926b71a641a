import NIOCore
import NIOPosix
import ProviderKit
import Testing

@testable import Engine

/// The memory of a provider's own list of models.
@Suite("a provider's list of models")
struct ModelListingTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.any()
    private let start = NIODeadline.uptimeNanoseconds(0)

    private func look(_ listing: ModelListing, _ id: String = "a", at time: NIODeadline) -> (ModelListing.Lookup, EventLoopFuture<Void>) {
        let waiter = loop.makePromise(of: Void.self)
        let lookup = listing.look(up: id, ttl: .seconds(60), now: time, waiter: waiter)
        if case .wait = lookup {} else { waiter.succeed() }
        return (lookup, waiter.futureResult)
    }

    @Test("a list is fetched once for its time to live, and callers in between wait for it")
    func once() throws {
        let listing = ModelListing()
        guard case .fetch = look(listing, at: start).0 else { return #expect(Bool(false), "the first caller fetches") }
        let (second, arrived) = look(listing, at: start)
        guard case .wait = second else { return #expect(Bool(false), "the second waits") }
        listing.fetched([ListedModel(id: "a")])
        try arrived.wait()
        guard case .known(let known) = look(listing, at: start + .seconds(59)).0 else { return #expect(Bool(false), "then it is known") }
        #expect(known == ListedModel(id: "a"))
        guard case .known(nil) = look(listing, "b", at: start + .seconds(59)).0 else { return #expect(Bool(false), "not in the list") }
        guard case .fetch = look(listing, at: start + .seconds(60)).0 else { return #expect(Bool(false), "fetched again") }
    }

    @Test("a list that can't be fetched is empty until it may be fetched again")
    func failure() {
        let listing = ModelListing()
        _ = look(listing, at: start)
        listing.fetched(nil)
        guard case .known(nil) = look(listing, at: start + .seconds(1)).0 else { return #expect(Bool(false), "no second attempt") }
        guard case .fetch = look(listing, at: start + .seconds(60)).0 else { return #expect(Bool(false), "fetched again") }
    }
}
