import ProviderConformance
import ProviderKit
import Testing

@Suite("the conformance suite finds violations of its rules")
struct ConformanceTests {
    @Test("a provider that breaks one rule is found by the check of that rule", arguments: ProviderConformance.checks)
    func broken(check: ProviderConformance.Check) {
        #expect(suite(FakeProvider(breaking: check.name)).violations(of: check) != [], "'\(check.name)' finds nothing")
    }

    @Test("a provider that keeps all rules passes")
    func sound() {
        #expect(suite(FakeProvider(breaking: nil)).violations() == [])
    }

    @Test("no two checks have the same name, and there are many")
    func names() {
        let names = ProviderConformance.checks.map(\.name)
        #expect(Set(names).count == names.count && names.count >= 60)
    }

    private func suite(_ provider: FakeProvider) -> ProviderConformance {
        let usage = Usage(promptTokens: 3, completionTokens: 5)
        let full = ProviderConformance.Content(
            text: "Hey", reasoning: "Hm", hasToken: true, toolCalls: [("add", #"{"a":[1]}"#), ("now", "{}")], finish: .toolCalls,
            usage: usage)
        let refused = ProviderConformance.Content(isFiltered: true, finish: .contentFilter)
        func response(
            _ name: String, _ type: String, _ body: String, _ content: ProviderConformance.Content
        ) -> ProviderConformance.RecordedResponse {
            .init(
                name, isStream: type != "application/json", head: UpstreamHead(status: 200, fields: [HTTPField("content-type", type)]),
                bytes: Array(body.utf8), content: content)
        }
        let objects = [
            #"{"think":"Hm","token":"t","text":"He"}"#, #"{"text":"y"}"#, #"{"tool":"add","id":"1","args":"{\"a\":"}"#,
            #"{"args":" [1]}"}"#, #"{"tool":"now","id":"2"}"#, #"{"usage":[3,5],"finish":"tool_calls"}"#,
        ]
        let events = objects.map { "data: \($0)\n\n" }.joined() + "data: [DONE]\n\n"
        return ProviderConformance(
            provider: provider,
            responses: [
                response("events", "text/event-stream", events, full),
                response("lines", "application/x-ndjson", objects.joined(separator: "\n") + "\n{\"end\":true}\n", full),
                response(
                    "an object", "application/json", #"{"text":"Hello","usage":[3,5],"finish":"stop"}"#,
                    .init(text: "Hello", finish: .stop, usage: usage)),
                response(
                    "a refusal", "text/event-stream",
                    "data: {\"refusal\":\"No.\"}\n\ndata: {\"finish\":\"content_filter\"}\n\ndata: [DONE]\n\n", refused),
            ],
            requests: [
                .body(#"{"model":"auto","messages":[{"role":"user","content":"hi"}],"x":1e999}"#),
                .chat(ChatRequest(messages: [ChatMessage(.user, "hi")])),
            ],
            failures: [
                .init("no credit", status: 400, body: #"{"error":{"message":"no credit: insufficient_quota"}}"#, is: .providerRejected),
                .init(
                    "a wait", status: 429, body: #"{"error":{"message":"try again in 1.5s"}}"#, is: .rateLimited,
                    retryAfter: .milliseconds(1500)),
            ],
            failureEvents: ["data: {\"error\":\"overloaded\"}\n\n", "{\"error\":\"overloaded\"}\n"])
    }
}
