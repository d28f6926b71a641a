import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine
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

    /// The body's `stream` stands for what Gemini's path says. Without it, the default of the API counts.
    @Test(
        arguments: [
            (FaceName.openai, ProviderKit.Operation.chat, nil, false), (.openai, .chat, true, true), (.openai, .chat, false, false),
            (.anthropic, .chat, true, true), (.gemini, .chat, nil, false), (.gemini, .chat, true, true), (.gemini, .chat, false, false),
            (.ollama, .chat, nil, true), (.ollama, .chat, false, false), (.ollama, .chat, true, true), (.ollama, .embeddings, nil, false),
        ] as [(FaceName, ProviderKit.Operation, Bool?, Bool)])
    func `a request is a stream where the server would stream it`(
        face: FaceName, operation: ProviderKit.Operation, said: Bool?, isStream: Bool
    ) throws {
        let body = Array(#"{"model":"words","input":"Hello"\#(said.map { #","stream":\#($0)"# } ?? "")}"#.utf8)
        let snapshot = Snapshot.provision(RoutingPolicy(), over: nil, at: 0)
        let request = try ExplainedRequest(operation, body: body, face: face, key: nil, in: snapshot).planRequest()
        var condition = RouteCondition()
        condition.isStream = isStream
        #expect(try #require(request.traits).meets(condition, operation))
    }

    /// The options of `explain` describe a request by OpenAI's members, and a file has those of its own API.
    @Test(arguments: FaceName.allCases)
    func `a request has the needs that its options describe, whatever its API`(face: FaceName) throws {
        let parts = #"[{"type":"text","text":"Hello"},{"type":"image_url","image_url":{"url":"data:image/png;base64,"}}]"#
        let body =
            #"{"model":["m","n"],"tags":"fast","max_tokens":7,"tools":[{"type":"function","function":{"name":"f"}}],"#
            + #""response_format":{"type":"json_object"},"messages":[{"role":"user","content":\#(parts)}]}"#
        let snapshot = Snapshot.provision(RoutingPolicy(), over: nil, at: 0)
        let request = try ExplainedRequest(body: Array(body.utf8), face: face, key: nil, in: snapshot).planRequest()
        #expect(request.needs.promptTokens > 0 && request.needs.maxTokens == 7 && request.models == ["m", "n"])
        #expect(request.needs.supports.isSuperset(of: [.image, .tools, .json]) && request.overrides != nil)
    }

    @Test func `a request of Gemini's own format is estimated as the server does it`() throws {
        let body = Array(#"{"contents":[{"parts":[{"text":"How many words are there in this sentence?"}]}]}"#.utf8)
        let snapshot = Snapshot.provision(RoutingPolicy(), over: nil, at: 0)
        let request = try ExplainedRequest(body: body, face: .gemini, key: nil, in: snapshot).planRequest()
        let served = try RequestOutline(body.span.bytes, .gemini)
        #expect(served.needs.promptTokens > 0 && request.needs == served.needs)
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
