package import Engine
package import HTTPWire
import ProviderKit
import RoutingPolicy

/// A chat request that is read and planned as every other, and then goes nowhere.
package struct ExplainedRequest {
    private let body: [UInt8]
    private let key: Int?
    private let headers: HTTPFields
    private let tokens: Int?
    private let snapshot: Snapshot

    /// - Parameters:
    ///   - headers: `x-router-*` counts.
    ///   - key: who sends it, an index into the policy's keys; nil: somebody who may reach everything.
    ///   - tokens: of the prompt, in place of the estimate.
    package init(body: [UInt8], headers: HTTPFields = HTTPFields(), key: Int?, tokens: Int? = nil, in snapshot: Snapshot) {
        self.body = body
        self.headers = headers
        self.key = key
        self.tokens = tokens
        self.snapshot = snapshot
    }

    package func explanation(state: ExplanationState, down: Set<Int> = []) -> Explanation {
        do throws(RequestRefusal) {
            return Explanation.of(try planRequest(), from: client, in: snapshot, state: state, down: down, refusal: refusal)
        } catch {
            return .refused(error, from: client, config: snapshot.policy.digest)
        }
    }

    /// What the planner is asked.
    func planRequest() throws(RequestRefusal) -> PlanRequest {
        do throws(APIError) {
            try Authentication.authorize(key, for: .operation(.chat), in: snapshot)
            let request = try ChatRequest(body.span.bytes, fields: headers, defaults: definition?.defaults)
            var needs = request.needs
            if let tokens { needs.promptTokens = tokens }
            return PlanRequest(models: request.models, needs: needs, own: request.own, scope: definition?.models)
        } catch {
            throw RequestRefusal(error)
        }
    }

    func refusal(_ refusal: PlanRefusal) -> RequestRefusal {
        RequestRefusal(APIError(refusal, in: snapshot))
    }

    private var definition: KeyDefinition? { key.map { snapshot.policy.keys[$0] } }

    private var client: Explanation.Client {
        definition.map { .key($0.name) } ?? (snapshot.policy.keys.isEmpty ? .open : .anyone)
    }
}

extension RequestRefusal {
    init(_ error: APIError) {
        self.init(status: error.status, code: error.code, message: error.message)
    }
}
