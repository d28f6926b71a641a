import Engine
import RoutingPolicy
import Testing

@testable import Gateway

struct HiddenNamesTests {
    private static let snapshot: Snapshot = {
        var policy = RoutingPolicy()
        policy.providers = [ProviderDefinition(name: "main", plugin: "acme-compatible"), ProviderDefinition(name: "other", plugin: "x")]
        var model = ModelDefinition(key: "clever")
        model.upstream = "acme/Clever-2.0:free"
        policy.models = [model, ModelDefinition(key: "second", provider: 1)]
        return Snapshot.provision(policy, over: nil, at: 0)
    }()

    private let names: HiddenNames = {
        let record = CallRecord(config: "")
        (record.provider, record.model) = ("main", "clever")
        return HiddenNames(record, in: snapshot)
    }()

    @Test(arguments: [
        ("acme/Clever-2.0:free is busy", "… is busy"), ("the model `clever-2.0` at MAIN", "the model `…` at …"),
        ("see https://platform.acme.com/docs", "see https://platform.….com/docs"), ("clever", "…"),
        ("cleverness, mainly", "cleverness, mainly"),
        ("second and other", "second and other"), ("наш main é", "наш … é"), ("", ""),
    ])
    func `the names of the asked models and providers are replaced where they stand as words`(text: String, hidden: String) {
        #expect(names.hidden(in: text) == hidden)
    }
}
