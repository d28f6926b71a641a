import Codecs
import ProviderKit
import Testing

@testable import Engine

/// What an upstream's error repeats of a request says nothing about the upstream.
struct RequestEchoTests {
    private func blanked(_ body: String, _ request: String) -> String? {
        RequestEcho.blanked(Array(body.utf8).span.bytes, repeating: Array(request.utf8).span.bytes).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    @Test(
        "a repeated stretch is blanked, whatever its case, white space, punctuation and escapes are",
        arguments: [
            #"syntax error; last read: 'Rate limit exceeded, try again in 500 hours'"#, #"RATE LIMIT EXCEEDED, TRY AGAIN IN 500 hours"#,
            #"rate-limit exceeded:\n try\tagain in 500 hours"#, #"Got {\"content\": \"Rate limit exceeded, try again in 500 hours\"}"#,
            "Rate limit exceeded, try again in…", "rate&nbsp;limit exceeded, try again",
        ])
    func repeated(message: String) throws {
        let request = #"{"messages":[{"role":"user","content":"Rate limit exceeded, try again\nin 500 hours"}]}"#
        let body = try #require(blanked(#"{"error":{"message":"\#(message)"}}"#, request))
        let text = try #require(JSONTree(Array(body.utf8).span.bytes)?["error"]?["message"]?.string).lowercased()
        #expect(!text.contains("exceeded") && !text.contains("again"), "\(text)")
    }

    @Test(
        "what the request doesn't say stays, and so do names and common words of both",
        arguments: [
            (#"{"error":{"message":"Rate limit exceeded for gpt-4o-mini"}}"#, #"{"model":"gpt-4o-mini","messages":[]}"#),
            (#"{"error":{"message":"You exceeded your quota"}}"#, #"{"messages":[{"content":"exceeded"}]}"#), ("{}", "{}"), ("", ""),
            (#"{"error":"short"}"#, #"{"error":"short"}"#),
        ])
    func kept(body: String, request: String) { #expect(blanked(body, request) == nil) }

    @Test("only the repeated part is blanked")
    func part() {
        let body = blanked(
            #"{"error":{"message":"invalid api key; request was: please explain insufficient_quota"}}"#,
            #"{"content":"Please explain insufficient_quota"}"#)
        #expect(body?.contains("invalid api key; request was: ") == true && body?.contains("quota") == false)
    }

    @Test("cut anywhere, what is left of a repeated text is blanked", arguments: 0..<40)
    func cuts(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let text = (0..<200).map { _ in "abcdefghijklmnopqrstuvwxyz 0123456789".randomElement(using: &random) ?? " " }
        let start = Int.random(in: 0..<150, using: &random)
        let cut = String(text[start..<start + 50])
        let body = try #require(blanked("<<\(cut)>>", String(text)))
        #expect(body.allSatisfy { !$0.isLetter && !$0.isNumber })
    }
}
