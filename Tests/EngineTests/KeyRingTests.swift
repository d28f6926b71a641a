import Codecs
import Crypto
import ProviderKit
import RoutingPolicy
import Synchronization
import TestSupport
import Testing

@testable import Engine

@Suite("the keys of a provider")
struct KeyRingTests {
    @Test("the keys take turns")
    func turns() {
        let keys = KeyRing(count: 3)
        #expect((0..<6).map { _ in keys.next(now: after(.zero)) } == [1, 2, 0, 1, 2, 0])
    }

    @Test("a limited key cools down alone, for as long as the provider says")
    func limited() {
        let keys = KeyRing(count: 3)
        let failure = keys.failed(1, .limited, wait: .seconds(20), now: after(.zero))
        #expect(failure.until == after(.seconds(20)) && failure.isNew && failure.hasOther)
        #expect((0..<4).map { _ in keys.next(now: after(.seconds(19))) } == [2, 0, 2, 0])
        #expect(keys.next(now: after(.seconds(20))) == 1)
        #expect(KeyRing(count: 2).failed(0, .limited, wait: nil, now: after(.zero)).until == after(KeyRing.limitCooldown))
        // A key must not be due at once, or the same request would get it again.
        #expect(KeyRing(count: 2).failed(0, .limited, wait: .zero, now: after(.zero)).until == after(.seconds(1)))
    }

    @Test("each refusal in a row doubles the cooldown, up to an hour, and a success ends that")
    func refused() {
        let keys = KeyRing(count: 2)
        var now = after(.zero), cooldowns: [Duration] = []
        for _ in 0..<6 {
            let until = keys.failed(0, .refused, wait: nil, now: now).until
            cooldowns.append(until - now)
            now = until
        }
        #expect(cooldowns == [300, 600, 1200, 2400, 3600, 3600].map { .seconds($0) })
        keys.succeeded(0, startedAt: now)
        #expect(keys.failed(0, .refused, wait: nil, now: now).until - now == .seconds(300))
    }

    @Test("requests that were under way when a key was refused are one refusal, and their success ends no cooldown")
    func concurrent() {
        let keys = KeyRing(count: 2)
        #expect(keys.failed(0, .refused, wait: nil, now: after(.zero)).isNew)
        let again = keys.failed(0, .refused, wait: nil, now: after(.seconds(1)))
        #expect(!again.isNew && again.until == after(.seconds(301)))
        keys.succeeded(0, startedAt: after(.zero))
        #expect(keys.cooling(now: after(.seconds(2))).map(\.position) == [1])
        keys.succeeded(0, startedAt: after(.seconds(2)))
        #expect(keys.cooling(now: after(.seconds(2))).isEmpty)
    }

    @Test("if every key cools down, the one that is due first is used, and the provider is refused only if all are")
    func noneLeft() {
        let keys = KeyRing(count: 2)
        _ = keys.failed(0, .limited, wait: .seconds(30), now: after(.zero))
        let last = keys.failed(1, .refused, wait: nil, now: after(.zero))
        #expect(!last.hasOther && last.firstDue == after(.seconds(30)))
        #expect(keys.next(now: after(.seconds(1))) == 0)
        let refused = KeyRing(count: 2)
        _ = refused.failed(0, .refused, wait: nil, now: after(.zero))
        #expect(refused.failed(1, .refused, wait: nil, now: after(.zero)).firstDue == nil)
        #expect(keys.cooling(now: after(.zero)).map(\.reason) == [.limited, .refused])
    }

    @Test("a request goes to another key only while there is one, and before the deadline")
    func machine() throws {
        let snapshot = try snapshot("providers: { p: { plugin: silent } }\nmodels: { a: { provider: p } }")
        func answer(hasOther: Bool, changes: Int, at time: Duration) throws -> Bool {
            let plan = try Planner.plan(PlanRequest(models: ["a"]), in: snapshot, state: ExplanationState.fresh(seed: 1))
            var machine = CallMachine(plan, needs: RequestNeeds(), in: snapshot, deadline: after(.seconds(10)), random: nil)
            _ = machine.on(.began, now: after(.zero))
            _ = machine.on(.started(p95: nil), now: after(.zero))
            if case .sendAgain = machine.on(.keyFailed(hasOther: hasOther, changes: changes), now: after(time)) { return true }
            return false
        }
        #expect(try answer(hasOther: true, changes: 0, at: .seconds(1)))
        #expect(try !answer(hasOther: false, changes: 0, at: .seconds(1)))
        #expect(try !answer(hasOther: true, changes: 100, at: .seconds(1)))
        #expect(try !answer(hasOther: true, changes: 0, at: .seconds(10)))
    }
}

@Suite("a token in a file")
struct TokenFileTests {
    /// A file whose content a test changes.
    private final class File: PolicySource {
        let bytes: Mutex<[UInt8]?>

        init(_ text: String?) { bytes = Mutex(text.map { Array($0.utf8) }) }

        func set(_ text: String?) { bytes.withLock { $0 = text.map { Array($0.utf8) } } }

        func read(_ path: String, limit: Int) throws(PolicySourceError) -> [UInt8] {
            guard let bytes = bytes.withLock({ $0 }) else { throw .notFound }
            return bytes
        }
        func environment(_ name: String) -> String? { nil }
        func glob(_ pattern: String) -> [String] { [] }
    }

    @Test("the file is read again after ten seconds, and at once after a refusal")
    func renewal() throws {
        let file = File("one\n"), token = TokenFile(path: "/t", source: file)
        #expect(try token.token(now: after(.zero)).reveal() == "one")
        file.set("  two\n")
        #expect(try token.token(now: after(.seconds(9))).reveal() == "one")
        #expect(try token.token(now: after(.seconds(10))).reveal() == "two")
        #expect(!token.hasChanged(since: after(.seconds(11)), now: after(.seconds(12))))
        file.set("three")
        #expect(token.hasChanged(since: after(.seconds(11)), now: after(.seconds(12))))
        #expect(try token.token(now: after(.seconds(12))).reveal() == "three")
        // Another request has read the new token already.
        #expect(token.hasChanged(since: after(.seconds(11)), now: after(.seconds(13))))
        #expect(token.tokens.map { $0.reveal() } == ["three", "two"])
    }

    @Test("a file that can't be read leaves the last token, and without one the provider is refused")
    func unreadable() throws {
        let file = File(nil), token = TokenFile(path: "/run/token", source: file)
        let error = #expect(throws: ProviderError.self) { try token.token(now: after(.zero)) }
        #expect(error?.failure == .providerRejected)
        #expect(error?.message == "the token file '/run/token' does not exist")
        for text in ["", "two words", "tok\u{E9}n"] {
            file.set(text)
            let error = #expect(throws: ProviderError.self) { try token.token(now: after(.seconds(20))) }
            #expect(error?.message.contains("contains no token") == true)
            _ = token.hasChanged(since: after(.zero), now: after(.zero))
        }
        file.set("one")
        #expect(try token.token(now: after(.seconds(40))).reveal() == "one")
        file.set(nil)
        #expect(try token.token(now: after(.seconds(60))).reveal() == "one")
    }

    @Test("the tokens of a file are masked as they are at the time")
    func masked() throws {
        let file = File("abcdefghijklmnop"), token = TokenFile(path: "/t", source: file)
        let mask = SecretMask([Secret("sk-fixed-0123456789")], changing: { token.tokens })
        #expect(mask("abcdefghijklmnop") == "abcdefghijklmnop")
        _ = try token.token(now: after(.zero))
        #expect(mask("the token abcdefghijklmnop and the key sk-fixed-0123456789") == "the token <secret> and the key <secret>")
        file.set("ABCDEFGHIJKLMNOP")
        _ = try token.token(now: after(.seconds(20)))
        #expect(mask("abcdefghijklmnop ABCDEFGHIJKLMNOP") == "<secret> <secret>")
        #expect(mask.shows("ABCDEFGHIJKLMNOP"))
    }
}

@Suite("AWS signatures")
struct AWSSignatureTests {
    private static let key = AWSCredential(
        accessKeyID: Secret("AKIDEXAMPLE"), secretAccessKey: Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), region: "us-east-1",
        service: "bedrock")

    private static func value(_ key: AWSCredential, target: String) -> [(String, String)] {
        let body = Array(#"{"messages":[{"role":"user","content":[{"text":"hi"}]}]}"#.utf8)
        return AWSSignature(key, at: 1_795_867_200).fields(
            method: "POST", host: "bedrock-runtime.us-east-1.amazonaws.com", target: target, contentType: "application/json",
            bodyHash: Array(SHA256.hash(data: body)))
    }

    // Computed with botocore 1.44.8 (`auth.SigV4Auth`) for 2026-11-28T12:00:00Z.
    @Test("a request has botocore's signature, whose path is escaped twice")
    func knownAnswer() {
        let fields = Self.value(Self.key, target: "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream")
        #expect(fields.map(\.0) == ["x-amz-date", "authorization"])
        #expect(fields[0].1 == "20261128T120000Z")
        #expect(
            fields[1].1
                == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261128/us-east-1/bedrock/aws4_request, "
                + "SignedHeaders=content-type;host;x-amz-date, "
                + "Signature=a9428d457da074ca4d54944b5755184802bfbf87514c73472d49529d346c1c38")
    }

    @Test("the token of a temporary key is sent and signed")
    func sessionToken() {
        var key = Self.key
        key.sessionToken = Secret("session-token")
        let fields = Self.value(key, target: "/model/m/converse")
        #expect(fields.contains { $0 == ("x-amz-security-token", "session-token") })
        #expect(fields.last?.1.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,") == true)
    }

    @Test("the parameters of a query are sorted, and each change of the request changes the signature")
    func canonical() {
        func signature(_ target: String) -> String { Self.value(Self.key, target: target).last?.1.suffix(64).description ?? "" }
        #expect(signature("/a?y=1&x=2") == signature("/a?x=2&y=1"))
        #expect(Set(["/a", "/b", "/a?x=1", "/a?x=2", "/a%20b"].map(signature)).count == 5)
    }
}
