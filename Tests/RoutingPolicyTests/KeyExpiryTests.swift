import RoutingPolicy
import Testing

/// A key that has expired is a warning, which a reload repeats only if it is new.
struct KeyExpiryTests {
    private func report(_ expires: String, now: Int) -> PolicyReport {
        let text = """
            version: 1
            providers: { p: { plugin: echo } }
            models: { m: { provider: p } }
            keys: { team: { secret: "abcdefghijklmnopqrst", expires: \(expires) } }

            """
        return PolicyLoader(plugins: [EchoPlugin.self], source: MemorySource(["routes.yaml": text]), now: { now }).load(path: "routes.yaml")
    }

    // 2027-01-31T00:00:00Z is 1801353600.
    @Test(arguments: [
        ("2027-01-31", 1_801_353_600 + 86_399, false), ("2027-01-31", 1_801_353_600 + 86_400, true),
        ("2027-01-31T00:00:00Z", 1_801_353_599, false), ("2027-01-31T00:00:00Z", 1_801_353_600, true), ("2020-01-01", 0, false),
    ])
    func `a key is reported from the end of its time on`(expires: String, now: Int, isReported: Bool) throws {
        let report = report(expires, now: now)
        let message = "key 'team' has expired, so it opens nothing"
        #expect(report.issues.map(\.message) == (isReported ? [message] : []))
        #expect(try #require(report.policy).offMessages.contains(message) == isReported)
    }
}
