import Engine
import ProviderKit
import RoutingPolicy
import Testing

@testable import Gateway

struct ExplainedOperationTests {
    private func explanation(_ operation: ProviderKit.Operation, keyMay endpoints: Set<KeyOperation>? = nil) -> Explanation {
        var policy = RoutingPolicy()
        policy.providers = [ProviderDefinition(name: "p", plugin: "x")]
        var words = ModelDefinition(key: "words")
        words.serves = [.embeddings, .rerank]
        policy.models = [ModelDefinition(key: "talk"), words]
        var key = KeyDefinition(name: "k", digest: [])
        key.endpoints = endpoints
        policy.keys = [key]
        let snapshot = Snapshot.provision(policy, over: nil, at: 0)
        return ExplainedRequest(operation, body: Array(#"{"model":"words","input":"Hello"}"#.utf8), key: 0, in: snapshot)
            .explanation(state: .fresh(seed: 1))
    }

    @Test func `a model that doesn't serve the operation is a 400 that says what it serves`() {
        #expect(
            explanation(.chat).outcome
                == .refused(
                    RequestRefusal(
                        status: 400, code: "no_model_fits",
                        message: "no model of 'words' fits this request: words (serves embeddings and rerank, not chat); "
                            + "change the request or name another model")))
    }

    @Test func `an explanation is of the operation that it is asked for, and needs a key for that one`() {
        // The provider is off, so a model that fits is refused for that alone.
        for operation in [ProviderKit.Operation.embeddings, .rerank] {
            guard case .refused(let refusal) = explanation(operation).outcome else { Issue.record("planned"); return }
            #expect(refusal.code == "no_model_available" && explanation(operation).request.operation == operation)
        }
        guard case .refused(let refusal) = explanation(.chat, keyMay: [.models]).outcome else { Issue.record("planned"); return }
        #expect(refusal.status == 403)
    }
}
