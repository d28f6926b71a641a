import HTTPWire
import RoutingPolicy
import Testing

@testable import Gateway
@testable import HTTPWire

struct BrowserAccessTests {
    /// The code of the refusal; nil if the request is served.
    private func refusal(
        host: String?, origin: String? = nil, isLocalSocket: Bool = false, cors: [String] = [], hosts: [String] = [], hasKeys: Bool = false
    ) -> String? {
        refusal(host: host, origins: origin.map { [$0] } ?? [], isLocalSocket: isLocalSocket, cors: cors, hosts: hosts, hasKeys: hasKeys)
    }

    private func refusal(
        host: String?, origins: [String], isLocalSocket: Bool = false, cors: [String] = [], hosts: [String] = [], hasKeys: Bool = false
    ) -> String? {
        var policy = RoutingPolicy()
        policy.server.cors = cors
        policy.server.hosts = hosts.compactMap { HostName($0) }
        if hasKeys { policy.keys = [KeyDefinition(name: "k", digest: [1])] }
        do throws(APIError) {
            try BrowserAccess.check(host: host, origins: origins, isLocalSocket: isLocalSocket, policy)
            return nil
        } catch {
            #expect(error.status == 403)
            #expect(error.message.contains("server: {") && error.message.contains("'keys:'"))
            return error.code
        }
    }

    @Test(arguments: ["localhost:8080", "127.0.0.1", "[::1]:8080", "app.localhost", "LOCALHOST.", nil])
    func `without keys a request for this machine is served`(host: String?) {
        #expect(refusal(host: host) == nil)
    }

    @Test(arguments: ["evil.example", "evil.example:8080", "localhost.evil.example", "10.0.0.1:8080", "0.0.0.0", "router.lan", "[fe80::1]"])
    func `without keys a request for any other name is refused`(host: String) {
        #expect(refusal(host: host) == "host_not_allowed")
        #expect(refusal(host: host, origin: "http://\(host)") == "host_not_allowed")
        #expect(refusal(host: host, cors: ["*"]) == "host_not_allowed")
        #expect(refusal(host: host, hosts: [host.hasPrefix("[") ? host : String(host.prefix { $0 != ":" })]) == nil)
        #expect(refusal(host: host, hasKeys: true) == nil)
        #expect(refusal(host: host, isLocalSocket: true) == nil)
    }

    @Test(arguments: [
        "https://evil.example", "http://localhost", "http://localhost:3000", "http://127.0.0.1:8080", "null", "",
        "http://localhost:8080.evil.example",
        "file://", "chrome-extension://abc",
    ])
    func `without keys a page of an origin that is not listed is refused`(origin: String) {
        #expect(refusal(host: "localhost:8080", origin: origin) == "origin_not_allowed")
        #expect(refusal(host: "localhost:8080", origin: origin, isLocalSocket: true) == "origin_not_allowed")
        #expect(refusal(host: nil, origin: origin) == "origin_not_allowed")
        #expect(refusal(host: "localhost:8080", origin: origin, cors: ["https://app.example"]) == "origin_not_allowed")
        #expect(refusal(host: "localhost:8080", origin: origin, cors: ["*"]) == nil)
        #expect(refusal(host: "localhost:8080", origin: origin, cors: [origin]) == nil)
        #expect(refusal(host: "localhost:8080", origin: origin, hasKeys: true) == nil)
    }

    @Test(arguments: [
        ("null", false), ("", false), ("file://", false), ("https://app.example/page", false), ("chrome-extension://abc", true),
        ("https://evil.example", true), ("HTTP://localhost:3000", true),
    ])
    func `a refused origin is told to be listed only if the policy takes it`(origin: String, isListable: Bool) {
        #expect((WebOrigin.normalized(origin) != nil) == isListable)
        do throws(APIError) {
            try BrowserAccess.check(host: "localhost", origins: [origin], isLocalSocket: false, RoutingPolicy())
            Issue.record("served")
        } catch {
            #expect(error.message.contains("add it to 'server: { cors: […] }'") == isListable, "\(error.message)")
            #expect(error.message.contains("cannot be listed; open the page from a web server") == !isListable)
        }
    }

    @Test(arguments: ["0", "00", "0x0", "0X7f000001", "0x", "1:8080", "127", "2130706433", "3232235777", "017700000001."])
    func `without keys a number is an address, not a name of the local network`(host: String) {
        #expect(refusal(host: host) == "host_not_allowed")
    }

    @Test
    func `without keys each of several origins must be listed`() {
        let (app, evil) = ("https://app.example", "https://evil.example")
        #expect(refusal(host: "localhost", origins: [app, app], cors: [app]) == nil)
        #expect(refusal(host: "localhost", origins: [app, evil], cors: [app]) == "origin_not_allowed")
        #expect(refusal(host: "localhost", origins: [evil, app], cors: [app]) == "origin_not_allowed")
        #expect(refusal(host: "localhost", origins: ["http://localhost", evil]) == "origin_not_allowed")
    }

    @Test(arguments: ["router", "llm_router:8080", "x.", "gpu0", "0xgpu", "10gbe"])
    func `without keys a name without a dot is served, but not to its own pages`(host: String) {
        #expect(refusal(host: host) == nil)
        #expect(refusal(host: host, origin: "http://\(host)") == "origin_not_allowed")
    }

    @Test
    func `the router's own pages are served, but not under a name that is not known`() {
        #expect(refusal(host: "localhost:8080", origin: "http://localhost:8080") == nil)
        #expect(refusal(host: "router.lan", origin: "https://router.lan", hosts: ["router.lan"]) == nil)
        #expect(refusal(host: "evil.example", origin: "http://evil.example", isLocalSocket: true) == "origin_not_allowed")
    }

    /// The names and values of the fields, in lower case.
    private func fields(_ request: [String], cors: [String], isPreflight: Bool = false) throws -> [String: String] {
        var head = ResponseHead(status: 200)
        let request = try headerFields(request)
        BrowserAccess.addFields(for: request, cors, to: &head)
        if isPreflight { BrowserAccess.addPreflightFields(for: request, cors, methods: "POST", to: &head) }
        let lines = String(buffer: head.lines).split(separator: "\r\n").map { $0.split(separator: ":", maxSplits: 1) }
        return Dictionary(uniqueKeysWithValues: lines.map { (String($0[0]), $0[1].trimmingPrefix(" ").lowercased()) })
    }

    @Test
    func `without 'cors' a response has no such fields`() throws {
        #expect(try fields(["Origin: https://app.example"], cors: []) == [:])
    }

    @Test
    func `a page of a listed origin may read the response and the router's fields`() throws {
        for origin in ["https://app.example", "HTTPS://App.Example"] {
            let found = try fields(["Origin: \(origin)"], cors: ["https://other.example", "https://app.example"])
            #expect(found["access-control-allow-origin"] == "https://app.example")
            #expect(found["vary"] == "origin")
            let exposed = try #require(found["access-control-expose-headers"]).components(", ")
            #expect(
                exposed.isSuperset(of: ["x-request-id", "x-router-provider", "x-router-model", "x-router-attempts", "x-router-fallback"]))
        }
        let all = try fields(["Origin: https://any.example"], cors: ["*"])
        #expect(all["access-control-allow-origin"] == "*" && all["vary"] == nil)
    }

    @Test
    func `other pages may not, and caches keep both apart`() throws {
        for origin in ["https://evil.example", "https://app.example.evil.example", "http://app.example", "null"] {
            #expect(try fields(["Origin: \(origin)"], cors: ["https://app.example"]) == ["vary": "origin"])
        }
        #expect(try fields([], cors: ["https://app.example"]) == ["vary": "origin"])
    }

    @Test
    func `a preflight of a listed origin is told the methods and gets the header fields that it asks for`() throws {
        let request = ["Origin: https://app.example", "Access-Control-Request-Method: POST"]
        let found = try fields(
            request + ["Access-Control-Request-Headers: authorization,x-stainless-os"], cors: ["https://app.example"], isPreflight: true)
        #expect(found["access-control-allow-origin"] == "https://app.example")
        #expect(found["access-control-allow-methods"] == "post")
        #expect(found["access-control-allow-headers"] == "authorization,x-stainless-os")
        #expect(found["access-control-max-age"] != nil)
        #expect(try fields(request, cors: ["*"], isPreflight: true)["access-control-allow-headers"] == nil)
        #expect(try fields(request, cors: ["https://other.example"], isPreflight: true) == ["vary": "origin"])
    }
}

extension String {
    fileprivate func components(_ separator: String) -> Set<String> { Set(split(separator: separator).map(String.init)) }
}
