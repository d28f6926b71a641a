import Codecs
import ProviderKit
import RoutingPolicy
import Testing

@testable import Gateway

struct DashboardTests {
    private static let texts = DashboardEndpoint.files.map { (name: $0.name, text: String(buffer: $0.bytes)) }

    /// What follows `prefix` in each place of a text, up to the next quote.
    private func references(_ prefix: String, in text: String) -> [String] {
        text.ranges(of: prefix).map { String(text[$0.upperBound...].prefix { $0 != "\"" && $0 != "'" }) }
    }

    @Test
    func `the page and its modules name only files that are in the binary`() {
        let known = Set(Self.texts.map(\.name))
        var named: Set<String> = ["index.html"]
        for (_, text) in Self.texts {
            for prefix in ["href=\"", "src=\"", "from './"] {
                for name in references(prefix, in: text) where !name.hasPrefix("#") && !name.hasPrefix("data:") {
                    #expect(known.contains(name))
                    named.insert(name)
                }
            }
        }
        #expect(named == known)
    }

    @Test(arguments: texts.map(\.text))
    func `no file names an address, writes HTML or stores what must not stay`(text: String) {
        let addresses = references("http", in: text).filter { $0.hasPrefix("://") || $0.hasPrefix("s://") }
        #expect(addresses.allSatisfy { $0 == "://www.w3.org/2000/svg" })
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "style=\"", "<script>", "onclick=\""] {
            #expect(!text.contains(word))
        }
    }

    @Test
    func `the routes of a policy are listed in its parts`() throws {
        var policy = RoutingPolicy()
        policy.providers = [ProviderDefinition(name: "p", plugin: "x")]
        policy.models = [ModelDefinition(key: "a"), ModelDefinition(key: "b")]
        var condition = RouteCondition()
        condition.isStream = true
        condition.use = 1
        var first = RouteDefinition(name: "first", steps: [.models([0]), .route(1)])
        first.conditions = [condition]
        first.fallbackOn = [.contextOverflow: [.models([1])]]
        let selection = Selection(selector: Selector(tags: TagExpression(["fast"])), order: .cheapest, models: [1, 0])
        policy.routes = [first, RouteDefinition(name: "second", steps: [.selected(selection)], fallback: [])]
        policy.defaults.fallback = [.models([1])]

        var writer = JSONWriter()
        RoutesEndpoint.write(policy, to: &writer)
        let a = #"{"provider":"p","model_name":"a"}"#, b = #"{"provider":"p","model_name":"b"}"#
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"config":"\#(policy.digest)","routes":[{"name":"first","when":[{"condition":"stream true","use":"second"}],"#
                + #""try":[{"words":"a","models":[\#(a)]},{"words":"route second","route":"second"}],"#
                + #""fallback":[{"words":"b","models":[\#(b)]}],"fallback_is_default":true,"#
                + #""fallback_on":{"context_overflow":[{"words":"b","models":[\#(b)]}]},"resume":false,"hedge":false,"sticky":false},"#
                + #"{"name":"second","when":[],"try":[{"words":"select(tags fast) cheapest","order":"cheapest","models":[\#(b),\#(a)]}],"#
                + #""fallback":[],"fallback_is_default":false,"fallback_on":{},"resume":false,"hedge":false,"sticky":false}]}"#)
    }
}
