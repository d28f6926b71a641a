import ConfigTree
import PolicyDrafts
import RoutingPolicy
import Testing

@Suite struct StarterPolicyTests {
    @Test(arguments: StarterProvider.all.map(\.name))
    func `a policy with one provider has no mistake`(name: String) throws {
        let provider = try #require(StarterProvider.all.first { $0.name == name })
        let report = load(StarterPolicy.draft([provider], listen: "127.0.0.1:8080", key: nil).text)
        #expect(report.policy != nil, "\(report.rendered())")
        #expect(report.issues.filter { !$0.message.contains(" no price") } == [], "\(report.rendered())")
    }

    @Test func `all of them together are one policy, and beyond this machine it has a key`() throws {
        let key = ClientKey.random()
        let draft = StarterPolicy.draft(StarterProvider.all, listen: "0.0.0.0:8080", key: ("first", key))
        let report = load(draft.text)
        let policy = try #require(report.policy, "\(report.rendered())")
        #expect(policy.providers.count == StarterProvider.all.count)
        #expect(policy.keys.map(\.name) == ["first"])
        #expect(!draft.text.contains(key.secret))
    }
}
