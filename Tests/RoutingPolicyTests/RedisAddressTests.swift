import ConfigTree
import Testing

@testable import RoutingPolicy

/// `state:` with the address of a Redis server.
struct RedisAddressTests {
    private func report(_ state: String, variables: [String: String] = [:]) -> PolicyReport {
        load(
            "version: 1\nproviders: { p: { plugin: echo } }\nmodels: { m: { provider: p } }\nstate: \(state)\n", variables: variables)
    }

    @Test
    func `an address names the server, TLS, the user, the password and the database`() throws {
        let full = try #require(RedisAddress(parsing: "rediss://router:p%40ss%3A@redis.lan:6390/3"))
        #expect(full.server == .tcp(host: "redis.lan", port: 6390, isTLS: true) && full.user == "router" && full.database == 3)
        #expect(full.password?.reveal() == "p@ss:" && full.place == "redis.lan:6390")
        let plain = try #require(RedisAddress(parsing: "redis://10.0.0.1"))
        #expect(plain.server == .tcp(host: "10.0.0.1", port: 6379, isTLS: false) && plain.user == nil && plain.password == nil)
        #expect(RedisAddress(parsing: "redis://[::1]/")?.server == .tcp(host: "::1", port: 6379, isTLS: false))
        #expect(RedisAddress(parsing: "redis://[::1]:1")?.place == "[::1]:1")
        let socket = try #require(RedisAddress(parsing: "unix://:secret@/run/redis.sock?db=2"))
        #expect(socket.server == .unix(path: "/run/redis.sock") && socket.user == nil && socket.database == 2)
        #expect(RedisAddress(parsing: "unix:///run/redis.sock")?.place == "unix:/run/redis.sock")
    }

    @Test(arguments: [
        "redis", "redis://", "http://a:6379", "redis://a:0", "redis://a:99999", "redis://a/x", "redis://a/-1", "redis://a/99999",
        "redis://user@a", "redis://user:@a", "redis://:%zz@a", "redis://a b", "unix://run/redis.sock", "unix:///a?x=1", "redis://:x@",
    ])
    func `anything else is no address`(text: String) {
        #expect(RedisAddress(parsing: text) == nil)
    }

    @Test
    func `the address stands alone or beside its options, and may be a variable`() throws {
        for state in ["redis://a", "{ redis: redis://a }", "${URL}", "{ redis: \"${URL}\" }"] {
            let report = report(state, variables: ["URL": "redis://a"])
            #expect(try #require(report.policy, "\(report.rendered())").state.redis == RedisAddress(parsing: "redis://a"))
        }
        let options = try #require(report("{ redis: redis://a, prefix: prod, lease: 10%, on_failure: refuse, file: /s.db }").policy).state
        #expect(options.prefix == "prod" && options.lease == 0.1 && options.onFailure == .refuse && options.file == "/s.db")
        #expect(report("${URL}").policy == nil)
    }

    @Test(
        arguments: [
            ("http://a", "'state' is not the address of a Redis server"), ("{ redis: a }", "'redis' is not the address of a Redis server"),
            ("{ redis: redis://a, lease: 0.1 }", "'lease' takes 0% to 50%, not '0.1'"),
            ("{ redis: redis://a, lease: 60% }", "'lease' takes 0% to 50%, not '60%'"),
            ("{ redis: redis://a, prefix: \"a b\" }", "'prefix' takes at most 64 letters, digits and -_.:, not 'a b'"),
            ("{ lease: 10% }", "'lease' needs 'redis'"), ("{ file: /s.db, on_failure: allow }", "'on_failure' needs 'redis'"),
        ])
    func `a mistake is reported where it is`(state: String, message: String) {
        let issues = report(state).issues.filter { $0.severity == .error }
        #expect(issues.map(\.message) == [message] && issues[0].position.line == 4 && issues[0].hint != nil)
    }

    @Test
    func `the hint shows the forms of an address, whose beginnings are no secret`() {
        let hint = report("redis://:hunter2hunter2@h:6379/x/y").issues.first?.hint
        #expect(hint == "write \(RedisAddress.forms)")
    }

    @Test
    func `no output shows an address, and a change of it is a difference`() throws {
        for state in ["redis://:hunter2hunter2@a b", "{ redis: redis//:hunter2hunter2@a }", "{ redis: redis://:hunter2hunter2@a, x: 1 }"] {
            let report = report(state)
            #expect(report.policy == nil && !report.rendered().contains("hunter2"), "\(report.rendered())")
        }
        let first = try #require(report("redis://:hunter2hunter2@a").policy), second = try #require(report("redis://:other@a").policy)
        #expect(first.digest != second.digest)
        let difference = PolicyDifference.words(from: first, to: second, draining: [:])
        #expect(difference.count == 1 && !difference.joined().contains("hunter2") && !difference.joined().contains("other"))
        #expect(first.text?.masked().allSatisfy { !$0.text.contains("hunter2") } == true)
        #expect(!"\(first.state)".contains("hunter2"))
    }
}
