import NIOCore
import Testing

@testable import Engine

@Suite("the token bucket")
struct StateTokenBucketTests {
    /// Takes the tokens if they can be spent now. Otherwise returns the wait.
    private func take(_ tokens: Int, of bucket: inout TokenBucket, at now: NIODeadline) -> Duration? {
        let wait = bucket.wait(for: tokens, now: now)
        guard wait == .zero else { return wait }
        bucket.spend(tokens, now: now)
        return nil
    }

    @Test("a full bucket admits exactly N tokens at once", arguments: [1, 3, 7, 60, 100, 999])
    func burst(perMinute: Int) {
        var bucket = TokenBucket(perMinute: perMinute)
        for _ in 0..<perMinute { #expect(take(1, of: &bucket, at: after(.zero)) == nil) }
        #expect(take(1, of: &bucket, at: after(.zero)) != nil)
    }

    @Test(
        "the tokens can be spent exactly after the returned wait, and not a nanosecond earlier",
        arguments: [1, 3, 7, 60, 100, 999, 60_000_000_000, .max])
    func trueWait(perMinute: Int) throws {
        var bucket = TokenBucket(perMinute: perMinute)
        bucket.spend(perMinute, now: after(.zero))
        let wait = bucket.wait(for: 1, now: after(.zero))
        #expect(wait > .zero && wait <= .seconds(60))
        #expect(bucket.wait(for: 1, now: after(wait)) == .zero)
        #expect(wait == .nanoseconds(1) || bucket.wait(for: 1, now: after(wait - .nanoseconds(1))) == .nanoseconds(1))
    }

    @Test("waits do not drift: N waits for one token take a minute", arguments: [7, 13, 59, 997])
    func drift(perMinute: Int) {
        var bucket = TokenBucket(perMinute: perMinute), now = after(.zero)
        bucket.spend(perMinute, now: now)
        for _ in 0..<(perMinute * 50) {
            now = now + bucket.wait(for: 1, now: now)
            bucket.spend(1, now: now)
        }
        let elapsed: Duration = now - after(.zero)
        #expect(elapsed >= .seconds(3000) && elapsed < .seconds(3000) + .microseconds(1))
    }

    @Test("the bucket never contains more than N tokens")
    func capacity() {
        var bucket = TokenBucket(perMinute: 10)
        #expect(bucket.tokens(now: after(.seconds(100_000))) == 10)
        bucket.spend(4, now: after(.zero))
        bucket.giveBack(9)
        #expect(bucket.tokens(now: after(.zero)) == 10)
    }

    @Test("a full bucket admits more than N tokens, and later requests wait for the debt")
    func debt() {
        var bucket = TokenBucket(perMinute: 60)
        #expect(take(180, of: &bucket, at: after(.zero)) == nil)
        #expect(bucket.tokens(now: after(.zero)) == -120)
        #expect(bucket.wait(for: 1, now: after(.zero)) == .seconds(121))
        #expect(bucket.wait(for: 180, now: after(.zero)) == .seconds(180))
        #expect(take(180, of: &bucket, at: after(.seconds(179))) == .seconds(1))
        #expect(take(180, of: &bucket, at: after(.seconds(180))) == nil)
    }

    @Test("settling returns the excess of an estimate, or takes the missing tokens")
    func settle() {
        var bucket = TokenBucket(perMinute: 100)
        bucket.spend(50, now: after(.zero))
        bucket.settle(spent: 50, used: 20, now: after(.zero))
        #expect(bucket.tokens(now: after(.zero)) == 80)
        bucket.spend(50, now: after(.zero))
        bucket.settle(spent: 50, used: 200, now: after(.zero))
        #expect(bucket.tokens(now: after(.zero)) == -120)
    }

    @Test("a nonsensical usage blocks the bucket for at most an hour, and does not trap", arguments: [Int.max, Int.max / 2, .min])
    func nonsense(used: Int) {
        var bucket = TokenBucket(perMinute: 100)
        for _ in 0..<1000 { bucket.settle(spent: 1, used: used, now: after(.zero)) }
        #expect(bucket.wait(for: 1, now: after(.zero)) <= .seconds(3601))
    }

    @Test("an earlier time from another thread changes nothing")
    func behind() {
        var bucket = TokenBucket(perMinute: 60)
        bucket.spend(60, now: after(.seconds(10)))
        #expect(bucket.wait(for: 1, now: after(.seconds(9))) == .seconds(1))
        bucket.spend(0, now: after(.seconds(9)))
        #expect(bucket.tokens(now: after(.seconds(11))) == 1)
    }

    /// A simple reference implementation.
    private struct Reference {
        var perMinute: Int
        /// Tokens × 60,000,000,000.
        var level: Int
        var at: NIODeadline

        mutating func pass(to now: NIODeadline) {
            level = min(level + Int(now.uptimeNanoseconds - at.uptimeNanoseconds) * perMinute, perMinute * 60_000_000_000)
            at = now
        }
    }

    @Test("no token is lost or created over random operations", arguments: 0..<100)
    func conserved(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed)), now = after(.zero), open: [Int] = []
        let perMinute = random.one(of: [1, 7, 60, 333, 1000])
        var bucket = TokenBucket(perMinute: perMinute),
            reference = Reference(perMinute: perMinute, level: perMinute * 60_000_000_000, at: now)
        for _ in 0..<400 {
            now = now + .nanoseconds(random.below(4_000_000_000))
            reference.pass(to: now)
            switch random.below(4) {
            case 0, 1:
                let tokens = 1 + random.below(perMinute * 2)
                let isThere = reference.level >= min(tokens, perMinute) * 60_000_000_000
                #expect((take(tokens, of: &bucket, at: now) == nil) == isThere)
                guard isThere else { continue }
                reference.level -= tokens * 60_000_000_000
                open.append(tokens)
            case 2 where !open.isEmpty:
                let tokens = open.removeLast(), used = random.below(tokens * 2)
                bucket.settle(spent: tokens, used: used, now: now)
                reference.level = min(reference.level + (tokens - used) * 60_000_000_000, perMinute * 60_000_000_000)
            case 3 where !open.isEmpty:
                let tokens = open.removeFirst()
                bucket.giveBack(tokens)
                reference.level = min(reference.level + tokens * 60_000_000_000, perMinute * 60_000_000_000)
            default:
                break
            }
            #expect(bucket.tokens(now: now) == Int((Double(reference.level) / 60e9).rounded(.down)))
        }
    }

    @Test("no period admits more tokens than N plus the refill of that period", arguments: 0..<30)
    func slidingMinute(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed)), now = after(.zero), admitted: [UInt64] = []
        let perMinute = random.one(of: [5, 17, 60, 100])
        var bucket = TokenBucket(perMinute: perMinute)
        while admitted.count < 400 {
            if random.below(3) == 0 { now = now + .nanoseconds(random.below(20_000_000_000 / perMinute)) }
            if random.below(200) == 0 { now = now + .seconds(random.below(90)) }
            if take(1, of: &bucket, at: now) == nil { admitted.append(now.uptimeNanoseconds) }
        }
        for (index, start) in admitted.enumerated() {
            for later in index..<admitted.count {
                let inflow = Int(admitted[later] - start) * perMinute / 60_000_000_000
                #expect(later - index + 1 <= perMinute + inflow)
                if later - index + 1 > perMinute + inflow { return }
            }
        }
    }
}
