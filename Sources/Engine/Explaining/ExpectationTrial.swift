import ProviderKit
package import RoutingPolicy

/// One of `tests:`, judged. What it expects is held against the course that a request takes: planned over many seeds, or taken for real.
package struct ExpectationTrial {
    package let definition: RoutingExpectation
    package let snapshot: Snapshot

    /// How many draws and turns a random order is judged over.
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
        /// `chosen: gemini-flash`.
        package var expected: String
        package var got: String
    }

    /// What came of a request.
    package struct Course: Sendable, Equatable {
        /// The models asked, in order; indices into the policy's.
        package var attempts: [Int]
        /// Who answered; nil: nobody.
        package var chosen: Int?
        /// Models that would be asked next if more failed than has.
        package var further: [Int] = []
        /// Models that only a failure of their own leads to.
        package var chains: [Int] = []
        /// Whether `attempts` and `further` are all that there are. False for a course that was taken: it ended with its response.
        package var isComplete: Bool
        /// What the client is told; nil: a response.
        package var refusal: RequestRefusal?
        /// Which draw it was; nil where none was made.
        package var seed: UInt64?

        package init(attempts: [Int], chosen: Int? = nil, refusal: RequestRefusal? = nil, isComplete: Bool = true) {
            self.attempts = attempts
            self.chosen = chosen
            self.refusal = refusal
            self.isComplete = isComplete
        }
    }

    /// Plans the request and judges it: once, or over all seeds where chance or a turn has a say.
    ///
    /// - Parameter refusal: what the client is told where there is no plan.
    package func verdict(of request: PlanRequest, refusal: (PlanRefusal) -> RequestRefusal) -> Verdict {
        let down = snapshot.models(down: definition.down)
        for seed in Self.seeds {
            let trace = PlanTrace()
            var course: Course
            do throws(PlanRefusal) {
                let plan = try Planner.plan(request, in: snapshot, state: ExplanationState.fresh(seed: seed), trace: trace)
                course = self.course(of: plan, down: down)
            } catch {
                course = Course(attempts: [], refusal: refusal(error))
            }
            if trace.isDrawn { course.seed = seed }
            let verdict = verdict(of: course)
            guard verdict == .holds, trace.isDrawn else { return verdict }
        }
        return .holds
    }

    /// Whoever is not down answers; what is asked if it doesn't follows in `further`.
    private func course(of plan: Plan, down: Set<Int>) -> Course {
        let real = ExplanationWalk(plan, in: snapshot) { down.contains($0) ? .explainedOutage : nil }
        let full = ExplanationWalk(plan, in: snapshot) { down.contains($0) ? .explainedOutage : .explainedFailure }
        var course = Course(attempts: real.attempts.map(\.model))
        course.further = full.attempts.dropFirst(course.attempts.count).map(\.model)
        course.chains = plan.fallbackOn.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap(\.value)
        if real.ending == .answered {
            course.chosen = course.attempts.last
        } else {
            course.refusal = RequestRefusal(status: real.status, code: nil, message: "every attempt failed")
        }
        return course
    }

    /// Judges what came of the request.
    package func verdict(of course: Course) -> Verdict {
        var mismatches: [Mismatch] = []
        if let status = definition.refused {
            if course.refusal?.status != status { mismatches.append(Mismatch(expected: "refused: \(status)", got: words(course))) }
        } else {
            if !definition.chosen.isEmpty, !isAmong(course.chosen, definition.chosen) {
                mismatches.append(Mismatch(expected: "chosen: \(definition.chosen.joined(separator: " or "))", got: words(course)))
            }
            if let order = definition.order, !follows(course, order) {
                mismatches.append(Mismatch(expected: "order: \(order.joined(separator: ", "))", got: words(course, isComplete: true)))
            }
            let reached = course.attempts + course.further + course.chains
            let broken = definition.never.filter { name in reached.contains { isAmong($0, [name]) } }
            if !broken.isEmpty {
                mismatches.append(Mismatch(expected: "never: \(broken.joined(separator: ", "))", got: words(course, isComplete: true)))
            }
        }
        return mismatches.isEmpty ? .holds : .fails(mismatches)
    }

    private func isAmong(_ model: Int?, _ names: [String]) -> Bool {
        guard let model else { return false }
        return names.contains { snapshot.models(named: $0).contains(model) }
    }

    /// Whether the models are asked in this order, as far as both go; a retry is no model of its own.
    private func follows(_ course: Course, _ order: [String]) -> Bool {
        let models = Self.each(course.attempts + course.further)
        guard zip(models, order).allSatisfy({ isAmong($0, [$1]) }) else { return false }
        return models.count >= order.count || !course.isComplete && course.chosen != nil
    }

    /// Every model once, as it was first asked.
    private static func each(_ attempts: [Int]) -> [Int] {
        var seen: Set<Int> = []
        return attempts.filter { seen.insert($0).inserted }
    }

    /// `gpt-4o, after demo failed`; `400 no model of 'auto' fits …`.
    private func words(_ course: Course, isComplete: Bool = false) -> String {
        func names(_ models: some Sequence<Int>) -> String { models.map { snapshot.policy.models[$0].key }.joined(separator: ", ") }
        let draw = course.seed.map { " (with seed \($0))" } ?? ""
        if course.chosen == nil, let refusal = course.refusal, !isComplete || course.attempts.isEmpty {
            let asked = course.attempts.isEmpty ? "" : ": \(names(Self.each(course.attempts)))"
            return "\(refusal.status) \(refusal.message)\(asked)\(draw)"
        }
        if isComplete {
            let chains = course.chains.isEmpty ? "" : "; fallback_on: \(names(course.chains))"
            return names(Self.each(course.attempts + course.further)) + chains + draw
        }
        guard let chosen = course.chosen else { return "no attempt\(draw)" }
        let failed = Self.each(course.attempts).filter { $0 != chosen }
        return names([chosen]) + (failed.isEmpty ? "" : ", after \(names(failed)) failed") + draw
    }
}

extension Snapshot {
    /// The models that are down where these providers and models (a name or `provider/name`) are.
    package func models(down names: [String]) -> Set<Int> {
        var down: Set<Int> = []
        for name in names {
            let provider = policy.providers.firstIndex { $0.name == name }
            down.formUnion(models(named: name))
            if let provider { down.formUnion(policy.models.indices.filter { policy.models[$0].provider == provider }) }
        }
        return down
    }
}
