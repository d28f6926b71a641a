import Codecs
import Foundation
import ProviderKit
import Testing

@testable import WireFormats

/// Each feature of the clients' formats as a request of Bedrock's, which no client has. The inputs are those of
/// ``TranslationGoldenTests``. `RECORD_GOLDENS=1` records again what becomes of them.
@Suite("translations to Bedrock's format")
struct BedrockGoldenTests {
    private static let folder =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/Goldens/requests/"

    private static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { name in
        !name.contains("-to-") && ["openai", "anthropic"].contains(name.split(separator: ".")[1])
    }.sorted()

    @Test("a client's request becomes the provider's", arguments: names)
    func request(name: String) throws {
        let client = String(name.split(separator: ".")[1])
        let format = try #require(ChatFormat(rawValue: client))
        let body = Array(try #require(FileManager.default.contents(atPath: Self.folder + name)))
        let text: String
        do throws(ProviderError) {
            let call = Call(
                operation: .chat, model: "anthropic.claude-sonnet-4-5-20250929-v1:0",
                isStream: JSONTree(body.span.bytes)?["stream"]?.bool == true, format: format.format,
                payload: .chat(try format.read(body.span.bytes)), provider: "p")
            text = String(decoding: try BedrockConverseBody().sources(for: call).joined(of: []), as: UTF8.self)
        } catch {
            text = "\(error.failure.rawValue): \(error.message)"
        }
        let path = Self.folder + name.replacing(".\(client).", with: ".\(client)-to-bedrock.")
        if ProcessInfo.processInfo.environment["RECORD_GOLDENS"] == "1" { try text.write(toFile: path, atomically: true, encoding: .utf8) }
        #expect(text == (try? String(contentsOfFile: path, encoding: .utf8)))
    }
}
