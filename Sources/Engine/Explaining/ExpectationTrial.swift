import NIOCore
import ProviderKit
package import RoutingPolicy

/// Checks one entry of a policy's `tests` against the routing of its request. The routing is either planned, with many
/// seeds, or observed in a real call.
package struct ExpectationTrial {
    package let definition: RoutingExpectation
    package let snapshot: Snapshot

    /// The seeds with which a random or rotating order is checked.
    static let seeds: ClosedRange<UInt64> = 1...200

    package init(_ definition: RoutingExpectation, in snapshot: Snapshot) {
        self.definition = definition
        self.snapshot = snapshot
    }

    package enum Verdict: Sendable, Equatable {
        case holds
        case fails([Mismatch])
    }

    package struct Mismatch: Sendable, Equatable {
        /// For example `the order [quick, sharp]`.
        package var expected: String
        package var got: String
        /// The seed with which the test fails; nil if chance decided nothing.
        package var seed: UInt64?
    }

    /// The routing of a request, planned or observed.
    package struct RoutingResult: Sendable, Equatable {
        /// The models that were called, in order, as indices into the policy's models.
        package var attempts: [Int]
        /// The model that served the request; nil if none did.
        package var chosen: Int?
        /// The models that would be called next if the chosen one failed too.
        package var further: [Int] = []
        /// The models of the `fallback_on` chains, which are called only after their own kind of failure.
        package var chains: [Int] = []
        /// Whether `attempts` and `further` together are all possible attempts. False for an observed call, which ends
        /// with its response.
        package var isComplete: Bool
        /// The error response that the client gets; nil if a model serves the request.
        package var refusal: RequestRefusal?
        /// The seed of the plan; nil if chance decided nothing.
        package var seed: UInt64?

        package init(attempts: [Int], chosen: Int? = nil, refusal: RequestRefusal? = nil, isComplete: Bool = true) {
            self.attempts = attempts
            self.chosen = chosen
            self.refusal = refusal
            self.isComplete = isComplete
        }
    }

    /// Plans the request and checks the result: once, or with all seeds if chance or a rotation affects the order.
    ///
    /// - Parameter refusal: returns the error response for a request without a plan.
    package func verdict(of request: PlanRequest, refusal: (PlanRefusal) -> RequestRefusal) -> Verdict {
        let snapshot = snapshot.including(unlistedOf: request)
        if snapshot !== self.snapshot { return ExpectationTrial(definition, in: snapshot).verdict(of: request, refusal: refusal) }
        let down = snapshot.models(down: definition.down)
        let last = definition.lastServedBy.flatMap { snapshot.models(named: $0).first }.map(snapshot.name(ofModel:))
        for seed in Self.seeds {
            let trace = PlanTrace()
            var result: RoutingResult
            do throws(PlanRefusal) {
                let plan = try Planner.plan(
                    request, in: snapshot, state: ExplanationState.fresh(seed: seed, stickyModel: last), trace: trace)
                result = self.result(of: plan, request.needs, down: down)
            } catch {
                result = RoutingResult(attempts: [], refusal: refusal(error))
            }
            if trace.isDrawn { result.seed = seed }
            let verdict = verdict(of: result)
            guard verdict == .holds, trace.isDrawn else { return verdict }
        }
        return .holds
    }

    /// The result if every model that is not down serves its attempt. The attempts that would follow if all of them
    /// failed are in `further`.
    private func result(of plan: Plan, _ needs: RequestNeeds, down: Set<Int>) -> RoutingResult {
        let fresh = SimulatedStates(snapshot) { _ in nil }, start = NIODeadline.uptimeNanoseconds(0)
        let actual = CallSimulation(plan, needs, in: snapshot, fresh, at: start) { down.contains($0) ? .simulatedOutage : nil }
        let complete = CallSimulation(plan, needs, in: snapshot, fresh, at: start) {
            down.contains($0) ? .simulatedOutage : .simulatedFailure
        }
        var result = RoutingResult(attempts: actual.attempts.map(\.model))
        result.further = complete.attempts.dropFirst(result.attempts.count).map(\.model)
        result.chains = plan.fallbackOn.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap(\.value)
        if actual.ending == .succeeded {
            result.chosen = result.attempts.last
        } else {
            result.refusal = RequestRefusal(status: actual.status, code: nil, message: "every attempt failed")
        }
        return result
    }

    /// Compares the result with the expectation.
    package func verdict(of result: RoutingResult) -> Verdict {
        var mismatches: [Mismatch] = []
        if let status = definition.refused {
            if result.refusal?.status != status {
                mismatches.append(Mismatch(expected: "the refusal \(status)", got: description(of: result)))
            }
        } else {
            if !definition.chosen.isEmpty, !isAmong(result.chosen, definition.chosen) {
                mismatches.append(
                    Mismatch(expected: "\(definition.chosen.joined(separator: " or ")) to be chosen", got: description(of: result)))
            }
            if let order = definition.order, !follows(result, order) {
                mismatches.append(
                    Mismatch(expected: "the order [\(order.joined(separator: ", "))]", got: description(of: result, isComplete: true)))
            }
            let reached = result.attempts + result.further + result.chains
            let broken = definition.never.filter { name in reached.contains { isAmong($0, [name]) } }
            if !broken.isEmpty {
                mismatches.append(
                    Mismatch(expected: "no call to \(broken.joined(separator: " or "))", got: description(of: result, isComplete: true)))
            }
        }
        for index in mismatches.indices { mismatches[index].seed = result.seed }
        return mismatches.isEmpty ? .holds : .fails(mismatches)
    }

    private func isAmong(_ model: Int?, _ names: [String]) -> Bool {
        guard let model else { return false }
        return names.contains { snapshot.models(expected: $0).contains(model) }
    }

    /// Whether the models are called in this order, as far as both lists go. Retries do not count.
    private func follows(_ result: RoutingResult, _ order: [String]) -> Bool {
        let models = Self.unique(result.attempts + result.further)
        guard zip(models, order).allSatisfy({ isAmong($0, [$1]) }) else { return false }
        return models.count >= order.count || !result.isComplete && result.chosen != nil
    }

    /// Every model once, in the order of the first attempts.
    private static func unique(_ attempts: [Int]) -> [Int] {
        var seen: Set<Int> = []
        return attempts.filter { seen.insert($0).inserted }
    }

    /// For example `gpt-4o, after demo failed` or `400 no model of 'auto' fits …`.
    private func description(of result: RoutingResult, isComplete: Bool = false) -> String {
        func names(_ models: some Sequence<Int>) -> String { models.map { snapshot.models[$0].key }.joined(separator: ", ") }
        let draw = result.seed.map { " (with seed \($0))" } ?? ""
        if result.chosen == nil, let refusal = result.refusal, !isComplete || result.attempts.isEmpty {
            let attempts = result.attempts.isEmpty ? "" : ": \(names(Self.unique(result.attempts)))"
            return "\(refusal.status) \(refusal.message)\(attempts)\(draw)"
        }
        if isComplete {
            let chains = result.chains.isEmpty ? "" : "; fallback_on: [\(names(result.chains))]"
            return "[\(names(Self.unique(result.attempts + result.further)))]\(chains)\(draw)"
        }
        guard let chosen = result.chosen else { return "no attempt\(draw)" }
        let failed = Self.unique(result.attempts).filter { $0 != chosen }
        return names([chosen]) + (failed.isEmpty ? "" : ", after \(names(failed)) failed") + draw
    }
}

extension Snapshot {
    /// The models that a test's name means. The request's unlisted fallback is `provider/name`.
    package func models(expected name: String) -> [Int] {
        let unlisted = policy.models.count..<models.indices.upperBound
        return unlisted.first { model in
            name == "\(policy.providers[models[model].provider].name)/\(models[model].name)"
        }.map { [$0] } ?? models(named: name)
    }

    /// The models that are down if the given providers and models are down. A model is given as a name or as
    /// `provider/name`.
    package func models(down names: [String]) -> Set<Int> {
        var down: Set<Int> = []
        for name in names {
            let provider = policy.providers.firstIndex { $0.name == name }
            let named = models(expected: name)
            // In a live test, the models that a wildcard stands for are known only to the request.
            down.formUnion(named.isEmpty ? wildcard(for: name).map { [$0] } ?? [] : named)
            if let provider { down.formUnion(models.indices.filter { models[$0].provider == provider }) }
        }
        return down
    }
}
