import Testing

@testable import RoutingPolicy

@Suite("the models of a key")
struct KeyScopeTests {
    @Test(
        "a glob that matches a name behind a wildcard is no mistake",
        arguments: [
            ("far/*", true), ("far/acme/*", true), ("fa*", true), ("*:free", true), ("far/acme/*:free", true), ("fax/*", false),
            ("gpt-*", false), ("f/*", false),
            // What a request's `fallback_provider` may name.
            ("p/free-*", true), ("p/*:free", true), ("q/free-*", false),
        ])
    func globs(glob: String, isKnown: Bool) {
        let report = load(
            """
            version: 1
            providers: { p: { plugin: echo } }
            models: { "far/*": { provider: p } }
            keys: { k: { secret: "0123456789abcdef0123456789", models: ["\(glob)"] } }
            """)
        #expect(report.policy != nil)
        #expect(report.rendered().contains("matches no model and no route") != isKnown, "\(report.rendered())")
    }
}
