import RoutingPolicy
import Testing

@testable import Engine

@Suite("the ranking of candidates")
struct RankingTests {
    private func ranked(_ scores: [Double], by order: Order, count: Int = 8, turn: Int = 0, _ random: inout SplitMix64) -> [Int] {
        withUnsafeTemporaryAllocation(of: Ranking.Candidate.self, capacity: count) { places in
            var ranking = Ranking(order, keeping: places, turn: turn, of: scores.count)
            for (model, score) in scores.enumerated() { ranking.offer(model, score: score) { Double.random(in: 0..<1, using: &random) } }
            return ranking.ranked { Double.random(in: 0..<1, using: &random) }.map(\.model)
        }
    }

    @Test("every order keeps as many candidates as fit, each once", arguments: Order.allCases)
    func distinct(order: Order) {
        var random = SplitMix64(seed: 7)
        for _ in 0..<2000 {
            let count = Int.random(in: 0...20, using: &random), room = Int.random(in: 3...12, using: &random)
            let scores = (0..<count).map { _ in Bool.random(using: &random) ? 0 : Double.random(in: 0...9, using: &random) }
            let result = ranked(scores, by: order, count: room, turn: Int(truncatingIfNeeded: random.next()), &random)
            #expect(result.count == min(count, room) && Set(result).count == result.count && result.allSatisfy { 0..<count ~= $0 })
        }
    }

    @Test("weighted draws each candidate first with its share, whether all candidates fit or not", arguments: [5, 3])
    func distribution(room: Int) {
        var random = SplitMix64(seed: 42)
        let scores = [1.0, 2, 3, 4, 0]
        let draws = 40_000
        var firsts = [Int](repeating: 0, count: scores.count), seconds = [Int](repeating: 0, count: scores.count)
        for _ in 0..<draws {
            let result = ranked(scores, by: .weighted, count: room, &random)
            firsts[result[0]] += 1
            if result[0] == 3 { seconds[result[1]] += 1 }
            #expect(room < 5 || result[4] == 4)
        }
        for (index, score) in scores.enumerated() {
            // Each count is within four standard deviations of its expectation.
            let share = score / 10, deviation = (share * (1 - share) * Double(draws)).squareRoot()
            #expect(abs(Double(firsts[index]) - share * Double(draws)) <= 4 * deviation)
        }
        // The second candidate is drawn among the remaining ones, each with its share of their total.
        let remaining = Double(firsts[3])
        for (index, score) in [1.0, 2, 3].enumerated() {
            let share = score / 6, deviation = (share * (1 - share) * remaining).squareRoot()
            #expect(abs(Double(seconds[index]) - share * remaining) <= 4 * deviation)
        }
    }

    @Test("top3 begins with one of the best three, each with its share")
    func top3() {
        var random = SplitMix64(seed: 3)
        var firsts = [Int](repeating: 0, count: 5)
        for _ in 0..<12_000 {
            let result = ranked([1, 6, 2, 3, 0.5], by: .top3, &random)
            #expect(Set(result[..<3]) == [1, 2, 3] && Array(result[3...]) == [0, 4])
            firsts[result[0]] += 1
        }
        #expect(firsts[0] == 0 && firsts[4] == 0)
        #expect(firsts[1] > firsts[3] && firsts[3] > firsts[2])
    }

    @Test("best keeps exactly the highest scores, and equal scores in the order of the policy")
    func few() {
        var random = SplitMix64(seed: 9)
        for _ in 0..<500 {
            let scores = (0..<200).map { _ in Double(Int.random(in: 0...50, using: &random)) }
            let best = scores.enumerated().sorted { ($0.element, -$0.offset) > ($1.element, -$1.offset) }.prefix(5).map(\.offset)
            #expect(Array(ranked(scores, by: .best, count: 5, &random).prefix(5)) == best)
        }
    }

    @Test("a model without samples scores as fast, and one that always fails scores as if 2 % succeeded")
    func score() {
        #expect(Ranking.score(weight: 5, ModelReading.fresh.statistics) == 50)
        #expect(Ranking.score(weight: 5, ModelReading.with(rate: 0.5, latency: 2000).statistics) == 1.25)
        #expect(Ranking.score(weight: 5, ModelReading.with(latency: 20).statistics) == 50)
        #expect(abs(Ranking.score(weight: 1, ModelReading.with(rate: 0, latency: 100).statistics) - 0.2) < 1e-6)
    }
}
