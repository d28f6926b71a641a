import ProviderKit
import TestSupport
import Testing

@testable import Engine
@testable import RoutingPolicy

/// No output holds eight consecutive characters of a secret.
struct SecretMaskTests {
    private static let keyBytes = Array((SecretEncoding.letters + "-_.+/=~:!$").utf8)
    private static let textBytes = Array((SecretEncoding.letters + "   -_.,:;\"'\\%&#{}[]\n").utf8)

    private static func key(_ count: Int, _ random: inout SplitMix64) -> [UInt8] {
        Array("sk-".utf8) + (3..<max(4, count)).map { _ in random.one(of: keyBytes) }
    }

    private static func check(_ encoding: SecretEncoding, keys: Int, cuts: Int) {
        var random = SplitMix64(seed: UInt64(encoding.name.utf8.reduce(7) { $0 &* 31 &+ UInt32($1) }))
        for _ in 0..<keys {
            let key = key(12 + random.below(40), &random)
            let mask = SecretMask([Secret("another-secret-of-theirs"), Secret(String(decoding: key, as: UTF8.self))])
            let padding = (0..<3).map { _ in (0..<random.below(24)).map { _ in random.one(of: textBytes) } }
            let inner = padding[0] + key + padding[1]
            let text = padding[2] + encoding.encode(random.below(2) == 0 ? key : inner) + padding[1]
            let fragments = (0...(key.count - 8)).flatMap { encoding.fragments(Array(key[$0..<($0 + 8)])) }
            for cut in 0..<cuts {
                let start = cut % 2 == 0 ? 0 : random.below(text.count),
                    end = cut == 0 ? text.count : start + random.below(text.count - start + 1)
                let output = Array(mask(String(decoding: text[start..<end], as: UTF8.self)).utf8)
                let shown = fragments.first { output.holds($0) }
                #expect(
                    shown == nil,
                    "\(encoding.name): the key \(String(decoding: key, as: UTF8.self)) in \(String(decoding: text[start..<end], as: UTF8.self)) left \(String(decoding: output, as: UTF8.self))"
                )
            }
        }
    }

    @Test(arguments: SecretEncoding.all)
    func `a part of an encoded secret is masked, wherever the text is cut`(encoding: SecretEncoding) {
        Self.check(encoding, keys: 12, cuts: 6)
    }

    @Test(arguments: SecretEncoding.all)
    func `a secret that is encoded twice is masked, wherever the text is cut`(inner: SecretEncoding) {
        for outer in SecretEncoding.all { Self.check(inner.within(outer), keys: 1, cuts: 4) }
    }

    @Test(arguments: 1...6)
    func `escapes of escapes are masked, as JSON in JSON has them`(levels: Int) {
        let mask = SecretMask([Secret("$<>-?/}*+,#]^+.:")])
        var text = "$<>-?/}*+,#]^+.:".utf8.map { "\\u00\($0 < 16 ? "0" : "")\(String($0, radix: 16))" }.joined()
        for _ in 1..<levels { text = text.replacing("\\", with: "\\\\") }
        #expect(mask("key=\(text)!") == "key=<secret>!")
    }

    @Test(arguments: ["base64", "base64url", "hex", "HEX"])
    func `a text holds no eight digits of an encoded secret`(name: String) throws {
        let encoding = try #require(SecretEncoding.all.first { $0.name == name })
        var random = SplitMix64(seed: 3)
        for _ in 0..<20 {
            let key = Self.key(12 + random.below(20), &random)
            let mask = SecretMask([Secret(String(decoding: key, as: UTF8.self))])
            let text = encoding.encode(key)
            for end in 8...text.count {
                let output = Array(mask(String(decoding: text[..<end], as: UTF8.self)).utf8)
                for start in 0...(text.count - 8) { #expect(!output.holds(Array(text[start..<(start + 8)])), "\(end) of \(text)") }
            }
        }
    }

    @Test(arguments: [
        "hunter2", "aHVudGVyMg==", "68756e74657232", "%68unter2", "&#104;unter2", "\\u0068unter2", "x%2568unter2y", "hunter2hunter2",
    ])
    func `a secret of fewer than 12 bytes is masked as a whole`(text: String) {
        let mask = SecretMask([Secret("hunter2")])
        #expect(mask("the key \(text) is wrong").contains("<secret>"))
        #expect(!mask(text).contains("unter2"))
        #expect(mask("hunter and hunter3") == "hunter and hunter3")
    }

    @Test func `what surrounds a secret stays`() {
        let mask = SecretMask([Secret("Bearer sk-abcdefghijklmnop"), Secret("sk-or-v1-0123456789")])
        #expect(mask("the key sk-abcdefghijklmnop is wrong, see /docs") == "the key <secret> is wrong, see /docs")
        #expect(mask("{\"key\":\"sk\\u002dabcdefghijklmnop\"}") == "{\"key\":\"<secret>\"}")
        #expect(mask("Authorization: Bearer sk-abcdefghijklmnop") == "Authorization: Bearer <secret>")
        for plain in [
            "", "sk-", "100%", "a & b", "C:\\new", "no such model 'gpt-5'", "the upstream responded with status 500",
            "req_011CRdG7Wxn0bN2XkK3f 550e8400-e29b-41d4-a716-446655440000 2026-11-28T12:52:00Z", "Ключ 🚀 &amp; ключ \\u041a",
        ] {
            #expect(mask(plain) == plain)
        }
        #expect(SecretMask([])("sk-abcdefghijklmnop") == "sk-abcdefghijklmnop")
    }

    @Test func `the credential in a header field is a secret of its own`() {
        #expect(SecretMask([Secret("Bearer hunter2")])("hunter2 is wrong") == "<secret> is wrong")
        let basic = SecretMask([Secret("Basic dXNlcjpodW50ZXIyISE=")])
        #expect(basic("dXNlcjpodW50ZXIyISE= means user:hunter2!!") == "<secret> means <secret>" && basic("hunter2!!") == "<secret>")
    }

    @Test func `an error is masked before it is cut`() {
        let key = "sk-abcdefghijklmnopqrstuvwxyz012345", mask = SecretMask([Secret(key), Secret("hunter2")])
        for secret in [key, "hunter2"] {
            for before in (SecretMask.maxMessageBytes - secret.utf8.count - 8)...SecretMask.maxMessageBytes {
                let text = String(repeating: "x ", count: before / 2) + secret + " is wrong"
                var error = ProviderError(.clientError, message: text, code: secret, type: "a \(secret)", param: secret)
                error = mask(error)
                #expect(error.message.utf8.count <= SecretMask.maxMessageBytes && !error.message.contains(secret.prefix(6)))
                #expect(error.code == "<secret>" && error.type == "a <secret>" && error.param == "<secret>")
            }
        }
    }

    @Test func `all secrets of a policy are masked, and a reload changes them`() throws {
        func yaml(_ key: String) -> String {
            """
            providers:
              p: { plugin: silent, api_key: \(key) }
            models:
              m: { provider: p }
            keys:
              k: { secret: client-secret-of-k }
            """
        }
        let before = try snapshot(yaml("sk-provider-before"))
        #expect(before.mask("sk-provider-before client-secret-of-k") == "<secret> <secret>")
        let after = Snapshot.provision(try policy(yaml("sk-provider-after")), over: before, at: 2)
        #expect(
            Snapshot(forLoop: after).mask("vider-after, vider-before") == "<secret>, vider-before"
                || after.mask("vider-after") == "<secret>")
    }

    @Test func `a long text is masked in bounded time, and cut`() {
        let mask = SecretMask((0..<200).map { Secret("sk-aaaaaaaaaaaaaaaa\($0)") } + [Secret(String(repeating: "a", count: 500))])
        for text in ["a", "sk-", "%61", "YWFh", "61", "&#x61;", "\\u0061"] {
            let long = String(repeating: text, count: (64 << 10) / text.utf8.count)
            #expect(mask(long).utf8.count <= SecretMask.maxTextBytes)
        }
    }

    @Test func `the cheap check finds what is not encoded`() {
        let mask = SecretMask([Secret("sk-abcdefghijklmnop"), Secret("hunter2")])
        #expect(mask.shows("x-abcdefgh-x") && mask.shows("ahunter2") && !mask.shows("req_abcdefg") && !mask.shows(""))
        #expect(mask.mayShow("x-abcdefgh-x") && mask.mayShow("ahunter2") && !mask.mayShow("req_abcdefg") && !mask.mayShow(""))
    }

    @Test(arguments: SecretEncoding.all)
    func `the cheap check finds each part of an encoded secret`(encoding: SecretEncoding) {
        var random = SplitMix64(seed: 5)
        for _ in 0..<20 {
            let key = Self.key(12 + random.below(20), &random), around = (0..<random.below(9)).map { _ in random.one(of: Self.textBytes) }
            let mask = SecretMask([Secret(String(decoding: key, as: UTF8.self))])
            #expect(mask.mayShow(String(decoding: around + encoding.encode(around + key) + around, as: UTF8.self)))
            for start in 0...(key.count - 10) {
                for fragment in encoding.fragments(Array(key[start..<(start + 10)])) {
                    #expect(mask.mayShow(String(decoding: around + fragment, as: UTF8.self)), "\(fragment)")
                }
            }
        }
    }

    @Test(arguments: [
        "sk-abcdefghijklmnop", "c2stYWJjZGVmZ2hpamtsbW5vcA==", "736b2d6162636465666768696a6b6c6d6e6f70",
        "%73k-%61bcdefghijklmnop", "x-c2stYWJjZGVmZ2hpamtsbW5vcA",
    ])
    func `a text that shows a secret in an encoding is found`(text: String) {
        let mask = SecretMask([Secret("sk-abcdefghijklmnop")])
        #expect(mask.mayShow(text))
        #expect(!mask.mayShow("req-AbCdEfGhIjK"))
        #expect(!mask.mayShow("0b1f6a3e-5d0c-4c55-9c1e-1f2a3b4c5d6e"))
    }
}
