import NIOCore
import RoutingPolicy
import Testing

@testable import Engine

@Suite("waiting for a slot")
struct StateQueueTests {
    private let good = AttemptOutcome.succeeded(latency: .zero, firstToken: nil)

    @Test("a request queues at a full gate, and its ticket becomes a permit when another attempt ends")
    func queue() throws {
        let model = modelState(Limits(requestsPerMinute: 10, concurrent: 1))
        let first = try #require(model.queue(at: after(.zero)).attempt)
        #expect(model.tryAttempt(at: after(.zero)).refusal == .full)
        let ticket = try #require(model.queue(at: after(.zero)).ticket)
        #expect(model.queue(at: after(.zero)).refusal == .full)
        #expect(!ticket.isGranted)
        first.end(good, at: after(.seconds(1)))
        #expect(ticket.isGranted)
        #expect(model.tryAttempt(at: after(.seconds(1))).refusal == .full)
        #expect(model.view(now: after(.seconds(1))).limits?.requestsLeft == 9)
        let second = try #require(ticket.claim(at: after(.seconds(1)))?.attempt)
        #expect(model.view(now: after(.seconds(1))).limits?.requestsLeft == 8)
        second.end(good, at: after(.seconds(1)))
        #expect(model.view(now: after(.seconds(1))).limits?.slotsInUse == 0)
    }

    @Test("a request queues for the model's slot first, and keeps it while it queues for the provider's")
    func both() throws {
        let provider = try #require(Limiter(Limits(concurrent: 1)))
        let model = modelState(Limits(concurrent: 1), provider: provider), other = modelState(Limits(concurrent: 1), provider: provider)
        let mine = try #require(model.queue(at: after(.zero)).attempt)
        let ticket = try #require(model.queue(at: after(.zero)).ticket), others = try #require(other.queue(at: after(.zero)).ticket)
        mine.end(good, at: after(.zero))
        #expect(ticket.isGranted && others.isGranted)
        let othersAttempt = try #require(others.claim(at: after(.zero))?.attempt)
        let second = try #require(ticket.claim(at: after(.zero))?.ticket)
        #expect(!second.isGranted && model.limits.own?.gate?.inUse == 1)
        othersAttempt.end(good, at: after(.zero))
        #expect(second.isGranted)
        try #require(second.claim(at: after(.zero))?.attempt).end(good, at: after(.zero))
        #expect(model.limits.own?.gate?.inUse == 0 && provider.gate?.inUse == 0)
    }

    @Test("a cancelled ticket leaves no slot taken, before or after its grant, and in either queue")
    func cancel() throws {
        let provider = try #require(Limiter(Limits(concurrent: 1)))
        let model = modelState(Limits(concurrent: 2), provider: provider)
        let first = try #require(model.queue(at: after(.zero)).attempt), atProvider = try #require(model.queue(at: after(.zero)).ticket)
        let atModel = try #require(model.queue(at: after(.zero)).ticket)
        #expect(model.limits.own?.gate?.inUse == 2)
        atProvider.cancel()
        #expect(atModel.isGranted)
        let moved = try #require(atModel.claim(at: after(.zero))?.ticket)
        first.end(good, at: after(.zero))
        #expect(moved.isGranted)
        moved.cancel()
        #expect(model.limits.own?.gate?.inUse == 0 && provider.gate?.inUse == 0 && model.inFlight == 0)
    }

    @Test("a ticket that is claimed before its grant stays queued")
    func claimedEarly() throws {
        let model = modelState(Limits(concurrent: 1))
        let first = try #require(model.queue(at: after(.zero)).attempt), ticket = try #require(model.queue(at: after(.zero)).ticket)
        let still = try #require(ticket.claim(at: after(.zero))?.ticket)
        first.end(good, at: after(.zero))
        #expect(still.isGranted)
        #expect(still.claim(at: after(.zero))?.attempt != nil)
    }

    @Test("no request queues for a model whose breaker is open or whose requests of the minute are used up")
    func noQueue() throws {
        let open = modelState(Limits(concurrent: 1), breaker: .exact(failures: 1))
        open.queue(at: after(.zero)).attempt?.end(.failed(.timeout, retryAfter: nil), at: after(.zero))
        #expect(open.queue(at: after(.zero)).refusal == .open(until: after(.seconds(30))))
        let spent = modelState(Limits(requestsPerMinute: 1, concurrent: 1)), attempt = spent.queue(at: after(.zero)).attempt
        #expect(attempt != nil)
        #expect(spent.queue(at: after(.zero)).refusal == .limited(until: after(.seconds(60))))
    }

    @Test("if the breaker opens while requests wait, each is refused when it gets its slot, and no slot is lost")
    func openedWhileWaiting() throws {
        let model = modelState(Limits(concurrent: 2), breaker: .exact(failures: 1))
        let first = try #require(model.queue(at: after(.zero)).attempt), second = try #require(model.queue(at: after(.zero)).attempt)
        let tickets = try (0..<2).map { _ in try #require(model.queue(at: after(.zero)).ticket) }
        first.end(.failed(.timeout, retryAfter: nil), at: after(.zero))
        #expect(tickets[0].claim(at: after(.zero))?.refusal == .open(until: after(.seconds(30))))
        #expect(tickets[1].isGranted)
        #expect(tickets[1].claim(at: after(.zero))?.refusal != nil)
        second.end(good, at: after(.zero))
        #expect(model.limits.own?.gate?.inUse == 0)
    }

    @Test("keys are served in rotation at a model")
    func rotation() throws {
        let model = modelState(Limits(concurrent: 3))
        let running = (0..<3).compactMap { _ in model.queue(at: after(.zero)).attempt }
        let first = try (0..<2).map { _ in try #require(model.queue(for: "first", at: after(.zero)).ticket) }
        let second = try #require(model.queue(for: "second", at: after(.zero)).ticket)
        running[0].end(good, at: after(.zero))
        running[1].end(good, at: after(.zero))
        #expect(first[0].isGranted && second.isGranted && !first[1].isGranted)
    }

    @Test("no slot is lost and no bound is exceeded over random operations", arguments: 0..<40)
    func conserved(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed)), now = after(.zero), running: [(model: Int, attempt: HeldAttempt)] = [],
            waiting: [(model: Int, ticket: HeldTicket)] = []
        let provider = try #require(Limiter(Limits(requestsPerMinute: 600, concurrent: 4)))
        let models = [
            modelState(Limits(concurrent: 2), provider: provider, breaker: .exact(cooldown: .seconds(1))),
            modelState(Limits(tokensPerMinute: 6000, concurrent: 3), provider: provider, breaker: .exact(cooldown: .seconds(1))),
            modelState(provider: provider),
        ]
        func add(_ entered: HeldAdmission?, _ model: Int) {
            switch entered {
            case .granted(let attempt): running.append((model, attempt))
            case .queued(let ticket): waiting.append((model, ticket))
            case .refused, nil: break
            }
        }
        for step in 0..<2000 {
            now = now + .milliseconds(random.below(100))
            let model = random.below(3)
            switch random.below(5) {
            case 0: add(models[model].tryAttempt(tokens: random.below(100), at: now), model)
            case 1: add(models[model].queue(tokens: random.below(100), for: random.one(of: ["a", "b", nil]), at: now), model)
            case 2 where !waiting.isEmpty: waiting.remove(at: random.below(waiting.count)).ticket.cancel()
            case 3, 4:
                guard !running.isEmpty else { continue }
                let outcome = random.one(of: [
                    good, good, good, .failed(.upstreamError, retryAfter: nil), .failed(.unreachable, retryAfter: nil), .abandoned,
                ])
                running.remove(at: random.below(running.count)).attempt.end(outcome, usedTokens: random.below(200), at: now, seed: step)
            default: continue
            }
            while let index = waiting.firstIndex(where: \.ticket.isGranted) {
                let (model, ticket) = waiting.remove(at: index)
                add(ticket.claim(at: now), model)
            }
            for (index, state) in models.enumerated() {
                let mine = running.filter { $0.model == index }.count
                #expect(state.inFlight == mine)
                if let gate = state.limits.own?.gate { #expect(mine <= gate.slots && gate.inUse >= mine && gate.inUse <= gate.slots) }
            }
            #expect(provider.gate?.inUse == running.count && running.count <= 4)
        }
        waiting.forEach { $0.ticket.cancel() }
        running.forEach { $0.attempt.end(.abandoned, at: now) }
        #expect(models.allSatisfy { $0.inFlight == 0 && $0.limits.own?.gate?.inUse ?? 0 == 0 && $0.limits.own?.gate?.waiting ?? 0 == 0 })
        #expect(provider.gate?.inUse == 0 && provider.gate?.waiting == 0)
    }
}
