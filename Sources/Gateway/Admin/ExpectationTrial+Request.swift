package import ConfigTree
package import Engine
import ProviderKit
package import RoutingPolicy

extension ExpectationTrial {
    /// Plans the test's request, as its key would send it, and judges that.
    package func verdict() -> Verdict {
        do throws(RequestRefusal) {
            return verdict(of: try request.planRequest(), refusal: request.refusal)
        } catch {
            return verdict(of: Course(attempts: [], refusal: error))
        }
    }

    /// The name of a provider that the request may reach and that answers from outside this process; nil: there is none but those that are down.
    package func upstream() -> String? {
        let down = snapshot.models(down: definition.down)
        guard let request = try? request.planRequest(),
            let plan = try? Planner.plan(request, in: snapshot, state: ExplanationState.fresh(seed: 1))
        else { return nil }
        let models = plan.tries + plan.fallback + plan.fallbackOn.values.joined()
        return models.lazy.filter { !down.contains($0) }.compactMap { snapshot.instance(ofModel: $0) }.first { $0.provider.origin != nil }?
            .name
    }

    private var request: ExplainedRequest {
        ExplainedRequest(
            body: definition.body, key: snapshot.policy.keys.firstIndex { $0.name == definition.key }, tokens: definition.tokens,
            in: snapshot)
    }

    /// An error for each of a policy's tests that fails, where the test stands.
    ///
    /// - Parameter nextStep: what helps to see why.
    package static func issues(of policy: RoutingPolicy, nextStep: (RoutingExpectation) -> String) -> [ConfigIssue] {
        guard !policy.tests.isEmpty else { return [] }
        let snapshot = Snapshot.provision(policy, over: nil, at: 0)
        return policy.tests.compactMap { test in
            guard case .fails(let mismatches) = ExpectationTrial(test, in: snapshot).verdict() else { return nil }
            let words = mismatches.map { "expected \($0.expected), got \($0.got)" }.joined(separator: "; ")
            return ConfigIssue(at: test.position, "test '\(test.name)' fails: \(words)", hint: nextStep(test))
        }
    }
}
