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
        "what the request doesn't say stays, and so do common words, codes and the names of members",
        arguments: [
            (#"{"error":{"message":"You exceeded your quota"}}"#, #"{"messages":[{"content":"exceeded"}]}"#), ("{}", "{}"), ("", ""),
            (#"{"error":"short"}"#, #"{"error":"short"}"#),
            // A longer text has the same words, and so has any about the subject.
            (#"{"error":{"message":"Invalid API key"}}"#, #"{"content":"What is an invalid API key?"}"#),
            (#"{"error":{"message":"The model `x` does not exist for the user"}}"#, #"{"model":"r","user":"user","required":["model"]}"#),
            // Codes and names of members are the server's own, and so is a part of a name.
            (#"{"error":{"code":"no_credits","billing_error":"x"}}"#, #"{"name":"no_credits","x":"billing_error"}"#),
            (#"{"error":{"message":"see no_credits_x or y-no-credits"}}"#, #"{"a":"no credits"}"#),
        ])
    func kept(body: String, request: String) { #expect(blanked(body, request) == nil) }

    @Test(
        "a whole string of the request is blanked where it stands as words of its own, however short it is",
        arguments: [
            // Mistral, vLLM and Python's requests, 400
            ("Function name was * but must be a-z, A-Z, 0-9, or contain underscores and dashes", "no credits"),
            ("Tool call id was * but must be a-z, A-Z, 0-9, with a length of 9.", "invalid_api_key"),
            ("Unknown part type: *", "out of credits"), ("Invalid URL *: No scheme supplied.", "credentials"),
            ("In properties.*.type: not a type", "overloaded"), ("参数*不合法", "余额不足"), ("Имя * не найдено", "нет средств"),
        ])
    func wholeString(message: String, value: String) throws {
        func escaped(_ text: String) -> String {
            text.utf16.map { $0 < 0x80 ? String(UnicodeScalar(UInt8($0))) : "\\u" + String(0x10000 + Int($0), radix: 16).dropFirst() }
                .joined()
        }
        let requests = [
            #"{"a":[{"b":"\#(value)"}]}"#, #"{"a":{"\#(value)":1}}"#, #"{"a":"one\n\#(value)\ntwo"}"#, #"{"a":"{\"b\":\"\#(value)\"}"}"#,
            #"{"a":"\#(escaped(value))"}"#,
        ]
        for request in requests {
            for echo in [value, escaped(value)] {
                let body = try #require(blanked(#"{"error":{"message":"\#(message.replacing("*", with: echo))"}}"#, request), "\(request)")
                let text = try #require(JSONTree(Array(body.utf8).span.bytes)?["error"]?["message"]?.string)
                #expect(text.filter(\.isLetter) == message.filter(\.isLetter), "\(request)")
            }
        }
    }

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
