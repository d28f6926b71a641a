package import ConfigTree
package import Engine
import HTTPWire
import ProviderKit
package import RoutingPolicy

extension ExpectationTrial {
    /// Plans the test's request for its key, and compares the plan with the expectation.
    package func verdict() -> Verdict {
        do throws(RequestRefusal) {
            return verdict(of: try request.planRequest(), refusal: request.refusal)
        } catch {
            return verdict(of: RoutingResult(attempts: [], refusal: error))
        }
    }

    /// The name of a provider outside this process that the request may reach. nil if the request can reach no such
    /// provider, or only providers that are down.
    package func upstream() -> String? {
        let down = snapshot.models(down: definition.down)
        guard let request = try? request.planRequest() else { return nil }
        let snapshot = snapshot.including(unlistedOf: request)
        guard let plan = try? Planner.plan(request, in: snapshot, state: ExplanationState.fresh(seed: 1)) else { return nil }
        let models = plan.tries + plan.fallback + plan.fallbackOn.values.joined()
        return models.lazy.filter { !down.contains($0) }.compactMap { snapshot.instance(ofModel: $0) }.first { $0.provider.origin != nil }?
            .name
    }

    /// The trial under the policy that also has the request's unlisted fallback.
    package var includingFallback: ExpectationTrial {
        guard let request = try? request.planRequest() else { return self }
        return ExpectationTrial(definition, in: snapshot.including(unlistedOf: request))
    }

    private var request: ExplainedRequest {
        ExplainedRequest(
            definition.operation, body: definition.body, headers: HTTPFields(definition.headers.map { ($0.name, $0.value) }),
            face: definition.face, key: snapshot.policy.keys.firstIndex { $0.name == definition.key }, tokens: definition.tokens,
            in: snapshot)
    }

    /// An error for each failing test of the policy, at the test's position.
    ///
    /// - Parameter nextStep: the hint that helps to find the cause.
    package static func issues(of policy: RoutingPolicy, nextStep: (RoutingExpectation, _ seed: UInt64?) -> String) -> [ConfigIssue] {
        guard !policy.tests.isEmpty else { return [] }
        let snapshot = Snapshot.provision(policy, over: nil, at: 0)
        return policy.tests.compactMap { test in
            guard case .fails(let mismatches) = ExpectationTrial(test, in: snapshot).verdict() else { return nil }
            let details = mismatches.map { "expected \($0.expected), but got \($0.got)" }.joined(separator: "; ")
            return ConfigIssue(at: test.position, "test '\(test.name)' fails: \(details)", hint: nextStep(test, mismatches.first?.seed))
        }
    }
}
