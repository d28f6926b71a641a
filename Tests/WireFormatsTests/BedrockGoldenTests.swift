import Codecs
import Foundation
import ProviderKit
import TestSupport
import Testing

@testable import WireFormats

/// Each feature of the clients' formats as a request of Bedrock's, which no client has, and of Bedrock's responses as
/// those of each client. The requests are those of ``TranslationGoldenTests``. A streamed response is written as lines
/// of an event's type and its JSON, with an exclamation mark before an exception.
/// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html.
/// `RECORD_GOLDENS=1` records again what becomes of them.
@Suite("translations to Bedrock's format, and back")
struct BedrockGoldenTests {
    private static let folder =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/Goldens/"

    private static func names(_ folder: String, _ isIncluded: (String) -> Bool) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: Self.folder + folder)) ?? [])
            .filter { !$0.contains("-to-") && isIncluded($0) }.sorted()
    }

    @Test("a client's request becomes the provider's", arguments: names("requests") { _ in true })
    func request(name: String) throws {
        let client = String(name.split(separator: ".")[1])
        let format = try #require(ChatFormat(rawValue: client))
        let body = try bytes("requests/\(name)")
        let sent: [UInt8]
        do throws(ProviderError) {
            let call = Call(
                operation: .chat, model: "anthropic.claude-sonnet-4-5-20250929-v1:0",
                isStream: JSONTree(body.span.bytes)?["stream"]?.bool == true, format: format.format,
                payload: .chat(try format.read(body.span.bytes)), provider: "p")
            sent = try BedrockConverseBody().sources(for: call).joined(of: [])
        } catch {
            sent = Array("\(error.failure.rawValue): \(error.message)".utf8)
        }
        try compare(sent, "requests/" + name.replacing(".\(client).", with: ".\(client)-to-bedrock."))
    }

    @Test(
        "a provider's response becomes the client's, wherever it is cut", arguments: names("responses") { $0.contains(".bedrock.") },
        ChatFormat.allCases)
    func response(name: String, client: ChatFormat) throws {
        let isStream = !name.hasSuffix(".json"), text = try bytes("responses/\(name)")
        let received = try client.received(isStream ? Self.events(text) : text, isStream: isStream, from: nil) {
            call throws(ProviderError) in
            try BedrockConverse.decoder(for: call, head: UpstreamHead(status: 200, bodyForm: isStream ? .other : .jsonObject))
        }
        try compare(received, "responses/" + name.replacing(".bedrock.", with: ".bedrock-to-\(client.rawValue)."))
    }

    @Test("there are goldens for every feature of the responses")
    func count() {
        #expect(Self.names("responses") { $0.contains(".bedrock.") }.count >= 12)
    }

    /// The binary events of lines.
    private static func events(_ text: [UInt8]) -> [UInt8] {
        text.split(separator: UInt8(ascii: "\n")).flatMap { line in
            let parts = String(decoding: line, as: UTF8.self).split(separator: " ", maxSplits: 1).map(String.init)
            return parts[0].hasPrefix("!")
                ? AWSEventStream.exception(String(parts[0].dropFirst()), parts[1]) : AWSEventStream.event(parts[0], parts[1])
        }
    }

    private func bytes(_ path: String) throws -> [UInt8] {
        Array(try #require(FileManager.default.contents(atPath: Self.folder + path)))
    }

    private func compare(_ bytes: [UInt8], _ path: String) throws {
        let path = Self.folder + path, text = String(decoding: bytes, as: UTF8.self)
        if ProcessInfo.processInfo.environment["RECORD_GOLDENS"] == "1" { try text.write(toFile: path, atomically: true, encoding: .utf8) }
        #expect(text == (try? String(contentsOfFile: path, encoding: .utf8)))
    }
}
