import NIOCore
import Testing

@testable import Engine

/// What a router takes from shared limits at once, to spend it without asking.
struct LeaseTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func take(
        _ lease: inout Lease, tokens: Int, _ limits: (requests: Bool, tokens: Bool) = (true, true), after seconds: Int = 0
    ) -> Bool {
        lease.take(tokens: tokens, isLimited: limits, now: Self.start + .seconds(seconds) as NIODeadline)
    }

    @Test
    func `a lease is spent until it is used up or its time is over`() {
        var lease = Lease()
        let early = take(&lease, tokens: 0)
        lease.receive((requests: 2, tokens: 100), share: 0.1, now: Self.start)
        // A tenth of a limit is refilled in 6 s.
        let taken = [(90, 0), (11, 0), (1, 6), (10, 5), (0, 0)].map { take(&lease, tokens: $0, after: $1) }
        #expect(!early && taken == [true, false, false, true, false])
    }

    @Test
    func `a limit that a key doesn't have bounds no lease`() {
        var lease = Lease()
        lease.receive((requests: 1, tokens: 0), share: 0.1, now: Self.start)
        let taken = [1_000_000, 0].map { take(&lease, tokens: $0, (true, false)) }
        #expect(taken == [true, false])
    }

    @Test
    func `only one request at a time asks for the next lease`() {
        var lease = Lease()
        let first = lease.ask(), second = lease.ask()
        #expect(first != nil && second == nil)
        lease.receive(nil, share: 0.1, now: Self.start)
        let third = lease.ask()
        #expect(third != nil)
    }

    @Test(arguments: [0, 5, 3600])
    func `what is left of a lease goes back once, when the next one is asked for`(seconds: Int) throws {
        var lease = Lease()
        lease.receive((requests: 10, tokens: 0), share: 0.1, now: Self.start)
        // The key has no limit of tokens.
        _ = take(&lease, tokens: 20, (true, false))
        let isTaken = take(&lease, tokens: 20, (true, false), after: seconds)
        let rest = lease.ask()
        #expect(rest.map { $0 == (isTaken ? 8 : 9, 0) } == true)
        lease.receive(nil, share: 0.1, now: Self.start)
        let again = lease.ask()
        #expect(again.map { $0 == (0, 0) } == true)
    }
}
