import ConfigTree
import EchoProvider
import ProviderConformance
import ProviderKit
import Testing

@Suite("the echo provider")
struct EchoProviderTests {
    @Test("it passes the conformance suite")
    func conformance() throws {
        var fields = FieldReader([], at: SourcePosition(file: "routes.yaml", line: 1, column: 1))
        let provider = EchoPlugin.makeProvider(try #require(EchoPlugin.readOptions(&fields)))
        let question = ChatRequest(messages: [ChatMessage(.user, "Привет 🚀")])
        let responses = [true, false].map { isStream in
            let call = Call(
                operation: .chat, model: "m", isStream: isStream, format: WireFormat("any"), payload: .chat(question))
            let response = provider.response(to: call, body: [UInt8]().span.bytes)
            return ProviderConformance.RecordedResponse(
                isStream ? "a stream" : "a non-streamed response", isStream: isStream, head: response.head,
                bytes: response.chunks.flatMap(\.bytes), content: .init(text: "Echo 1.0.0 says: Привет 🚀", finish: .stop))
        }
        #expect(ProviderConformance(provider: provider, responses: responses, requests: []).violations() == [])
    }
}
