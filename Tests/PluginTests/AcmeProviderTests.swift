import ConfigTree
import Foundation
import ProviderConformance
import ProviderKit
import Testing

@Suite("the provider in docs/plugins.md")
struct AcmeProviderTests {
    @Test("it passes the conformance suite")
    func conformance() throws {
        var fields = FieldReader([entry("base_url", "http://127.0.0.1:1/v1"), entry("api_key", "sk-0123456789abcdef")], at: .start)
        let provider = AcmePlugin.makeProvider(try #require(AcmePlugin.readOptions(&fields)))
        let suite = ProviderConformance(
            provider: provider, responses: Array(OpenAIPluginTests.recorded.prefix(3)), requests: OpenAIPluginTests.requests,
            failures: [.init("an overloaded model", status: 402, body: #"{"error":{"message":"overloaded"}}"#, is: .rateLimited)],
            failureEvents: ["data: {\"error\":{\"message\":\"overloaded\"}}\n\n"])
        #expect(suite.violations() == [])
    }

    @Test("the document shows the code that is tested, which has about 60 lines")
    func document() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let code = try String(contentsOf: folder.appending(path: "AcmeProvider.swift"), encoding: .utf8)
        let document = try String(contentsOf: folder.appending(path: "../../docs/plugins.md"), encoding: .utf8)
        #expect(document.contains("```swift\n\(code)```\n"))
        #expect(code.split(separator: "\n", omittingEmptySubsequences: false).count <= 61)
    }

    private func entry(_ key: String, _ value: String) -> ConfigEntry {
        ConfigEntry(key: ConfigText(key, at: .start), value: ConfigNode(.scalar(ConfigScalar(value)), at: .start))
    }
}
