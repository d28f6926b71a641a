import ProviderKit
import RoutingPolicy
import Testing

@Suite("a list of keys")
struct KeyListTests {
    private func report(_ keys: String, _ variables: [String: String] = [:]) -> PolicyReport {
        load(
            "version: 1\nproviders: { p: { plugin: fake, base_url: http://h/v1, api_key: \(keys) } }\nmodels: { m: { provider: p } }\n",
            variables: variables)
    }

    @Test("a key whose variable is unset is left out by its position, and the provider is on")
    func oneUnset() throws {
        let report = report(#"["${ONE}", "${TWO}", "${THREE}"]"#, ["ONE": "sk-1", "THREE": "sk-3"])
        let policy = try #require(report.policy, "\(report.rendered())")
        #expect(policy.providers[0].settings != nil && policy.providers[0].unset == [])
        #expect(report.rendered().contains("key 2 of 3 is left out: 'TWO' is unset or empty"))
        #expect(!report.rendered().contains("sk-"))
    }

    @Test("without any key the provider is off, for all its variables")
    func allUnset() throws {
        let report = report(#"["${ONE}", "${TWO}"]"#)
        #expect(report.policy?.providers[0].settings == nil)
        #expect(report.policy?.providers[0].unset == ["ONE", "TWO"])
        #expect(report.rendered().contains("provider 'p' is off: 'ONE', 'TWO' are unset or empty"))
        #expect(!report.rendered().contains("is left out"))
    }

    @Test("a difference says that the keys have changed, and not what they are")
    func difference() throws {
        let old = try #require(report("[sk-one-0123456789, sk-two-0123456789]").policy)
        let new = try #require(report("[sk-one-0123456789, sk-three-0123456789]").policy)
        #expect(PolicyDifference.words(from: old, to: new, draining: [:]) == ["~ provider p: api_key changed"])
        #expect(PolicyDifference.words(from: old, to: old, draining: [:]) == [])
        #expect(old.digest != new.digest)
    }
}
