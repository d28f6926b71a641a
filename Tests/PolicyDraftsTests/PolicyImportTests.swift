import Anthropic
import AzureOpenAI
import Bedrock
import ConfigTree
import DeepSeek
import Demo
import Foundation
import Gemini
import Ollama
import OpenAI
import OpenAICompatible
import OpenRouter
import PolicyDrafts
import ProviderKit
import RoutingPolicy
import Testing

/// The plugins that are built into the router.
let builtins: [any ProviderPlugin.Type] = [
    DemoPlugin.self, OpenAIPlugin.self, OpenAICompatiblePlugin.self, AnthropicPlugin.self, OllamaPlugin.self, GeminiPlugin.self,
    AzureOpenAIPlugin.self, BedrockPlugin.self, DeepSeekPlugin.self, OpenRouterPlugin.self,
]

/// One file in memory, with every variable set.
struct OneFile: PolicySource {
    let text: String

    func read(_ path: String, limit: Int) throws(PolicySourceError) -> [UInt8] {
        guard path == "routes.yaml" else { throw .notFound }
        return Array(text.utf8)
    }

    func environment(_ name: String) -> String? {
        name.contains("URL")
            ? "https://\(name.lowercased().filter(\.isLetter)).example.com/v1" : "value-of-\(name.replacing("_", with: "-"))-0123456789"
    }
    func glob(_ pattern: String) -> [String] { [] }
}

func load(_ text: String) -> PolicyReport {
    PolicyLoader(plugins: builtins, source: OneFile(text: text)).load(path: "routes.yaml")
}

/// The policies made from the folders in `Goldens/`. `RECORD_GOLDENS=1` records them again.
@Suite struct PolicyImportTests {
    private static let goldens = String(#filePath.dropLast("PolicyImportTests.swift".count)) + "Goldens/"

    private static let cases: [(name: String, files: [String])] = [
        ("litellm", ["config.yaml"]), ("litellm-routing", ["config.yaml"]),
        ("three-files", ["providers.yaml", "models.yaml", "user_keys.yaml"]), ("free-router", ["config.yaml", "models.yaml"]),
    ]

    private static func text(_ name: String, _ files: [String]) throws -> String {
        let read = try files.map { try ForeignFile("\(goldens)\(name)/\($0)", source: SystemPolicySource()) }
        return try PolicyImport.draft(of: read).text
    }

    @Test(arguments: cases)
    func `the files of another program become this policy`(name: String, files: [String]) throws {
        let text = try Self.text(name, files)
        let expected = "\(Self.goldens)\(name).yaml"
        if ProcessInfo.processInfo.environment["RECORD_GOLDENS"] == "1" {
            try text.write(toFile: expected, atomically: true, encoding: .utf8)
        }
        #expect(text == (try? String(contentsOfFile: expected, encoding: .utf8)))
    }

    @Test(arguments: cases)
    func `an imported policy has no error`(name: String, files: [String]) throws {
        let report = load(try Self.text(name, files))
        #expect(report.policy != nil, "\(report.rendered())")
        #expect(report.issues.filter { !$0.message.contains(" no price") } == [], "\(report.rendered())")
    }

    @Test(arguments: cases)
    func `no secret of the other program is copied`(name: String, files: [String]) throws {
        #expect(try !Self.text(name, files).contains("hunter2"))
    }

    @Test(arguments: cases)
    func `the order of the files doesn't matter`(name: String, files: [String]) throws {
        func body(_ files: [String]) throws -> String { try Self.text(name, files).split(separator: "\n").dropFirst().joined() }
        #expect(try body(files) == body(files.reversed()))
    }

    @Test func `files that can't be imported say what can`() throws {
        func failure(_ texts: [String]) throws -> String? {
            let files = try texts.map { try ForeignFile("routes.yaml", source: OneFile(text: $0)) }
            do throws(ConfigIssue) { _ = try PolicyImport.draft(of: files) } catch { return error.message }
            return nil
        }
        #expect(try failure(["a: 1"]) == "this is no configuration that can be imported")
        #expect(try failure(["model_list: []", "model_list: []"])?.hasPrefix("'model_list' is in two files") == true)
        #expect(throws: ConfigIssue.self) { try ForeignFile("routes.yaml", source: OneFile(text: "- a")) }
        #expect(throws: ConfigIssue.self) { try ForeignFile("routes.yaml", source: OneFile(text: "a: [")) }
        #expect(throws: ConfigIssue.self) { try ForeignFile("other.yaml", source: OneFile(text: "a: 1")) }
    }

    @Test(arguments: [
        "model_list: 3\nrouter_settings: []\nlitellm_settings: x\ngeneral_settings: { master_key: [] }",
        "model_list: [x, {}, { model_name: a }, { model_name: a, litellm_params: { model: openai/x, rpm: many, weight: 1e400 } }]",
        "model_list: [{ model_name: \"a\\nb, c\", litellm_params: { model: openai/x } }]\nrouter_settings: { fallbacks: [a, { a: 3 }] }",
        "providers: { \"a b\": { type: openai, base_url: x }, c: 3 }\nmodels: { m: 3, n: { provider: c } }\nuser_keys: { k: {}, l: 3 }",
        "providers: { a: 3 }\nmodels: [3, {}, { name: a }]\nrouting: { fallback: { model: x, provider: \"\" } }\nmodelOverrides: [3]",
    ])
    func `whatever the values are, the result is a file`(text: String) throws {
        let draft = try PolicyImport.draft(of: [ForeignFile("routes.yaml", source: OneFile(text: text))])
        // The file is YAML: a policy without models is refused for that alone.
        let report = load(draft.text)
        #expect(report.issues.allSatisfy { !$0.message.contains("YAML") && !$0.message.contains("unknown key") }, "\(report.rendered())")
    }
}
