import TestSupport
import Testing

/// Requests of web pages.
@Suite struct BrowserTests {
    private static let targets = [
        ("POST", "/v1/chat/completions"), ("GET", "/v1/models"), ("GET", "/metrics"), ("POST", "/admin/reload"), ("POST", "/admin/check"),
        ("GET", "/health"), ("GET", "/"), ("GET", "/nothing"), ("OPTIONS", "/v1/chat/completions"), ("DELETE", "/v1/models"),
    ]

    @Test func `without keys no page can reach any endpoint`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(PolicyText(["a": upstream], server: "hosts: [router.lan], cors: [\"https://app.example\"]"))
        let body = RouterProcess.chatBody("a")
        func response(_ method: String, _ target: String, _ fields: [String], version: String = "1.1") throws -> Response {
            let client = try router.client()
            let lines = ["\(method) \(target) HTTP/\(version)", "Content-Type: text/plain", "Content-Length: \(body.utf8.count)"] + fields
            client.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
            return try client.readResponse()
        }
        for (method, path) in Self.targets {
            let evil = try response(method, path, ["Host: evil.example:\(router.port)"])
            #expect(evil.status == 403 && evil.errorCode == "host_not_allowed", "\(method) \(path)")
            #expect(evil.text.contains("hosts"))
            #expect(try response(method, "http://evil.example\(path)", ["Host: evil.example"]).status == 403)
            #expect(try response(method, "http://evil.example\(path)", [], version: "1.0").status == 403)
            for origin in ["https://evil.example", "null", "http://localhost:3000"] {
                let page = try response(method, path, ["Host: 127.0.0.1:\(router.port)", "Origin: \(origin)"])
                #expect(page.status == 403 && page.errorCode == "origin_not_allowed", "\(method) \(path) \(origin)")
                #expect(page.text.contains("cors") && page.head["access-control-allow-origin"] == nil)
            }
        }
        #expect(upstream.connections == 0)
        for fields in [
            ["Host: localhost"], ["Host: LOCALHOST.:\(router.port)"], ["Host: [::1]"], ["Host: Router.LAN:80"],
            ["Host: localhost", "Origin: https://app.example"],
        ] {
            #expect(try response("POST", "/v1/chat/completions", fields).status == 200, "\(fields)")
        }
        #expect(try response("POST", "/v1/chat/completions", [], version: "1.0").status == 200)
    }

    @Test func `with keys the key decides, whatever the host and the origin`() throws {
        let router = try RouterProcess(PolicyText(keys: ["  k: { secret: the-clients-own-key }"]).demo)
        let client = try router.client()
        let body = RouterProcess.chatBody("demo")
        client.send(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: public.example\r\nOrigin: https://app.example\r\n"
                + "Authorization: Bearer the-clients-own-key\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        let response = try client.readResponse()
        #expect(response.status == 200 && response.head["access-control-allow-origin"] == nil)
    }

    @Test(arguments: [true, false])
    func `a page of a listed origin may use the router`(hasKeys: Bool) throws {
        let router = try RouterProcess(
            PolicyText(
                server: "cors: [\"https://app.example\"], max_body: 1KiB", keys: hasKeys ? ["  k: { secret: the-clients-own-key }"] : []
            ).demo)
        let key = hasKeys ? "the-clients-own-key" : nil
        let origin = "Origin: https://app.example"
        let preflight = try router.call(
            "OPTIONS", "/v1/chat/completions",
            fields: [origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization,content-type"])
        #expect(preflight.status == 204)
        #expect(preflight.head["access-control-allow-origin"] == "https://app.example")
        #expect(preflight.head["access-control-allow-methods"]?.contains("POST") == true)
        #expect(preflight.head["access-control-allow-headers"] == "authorization,content-type")
        let large = String(repeating: "x", count: 2000)
        for (response, status) in [
            (try router.chat("demo", key: key, fields: [origin]), 200), (try router.chat("unknown", key: key, fields: [origin]), 404),
            (try router.chat("demo", large, key: key, fields: [origin]), 413),
            (try router.call("GET", "/nothing", key: key, fields: [origin]), 404),
        ] {
            #expect(response.status == status)
            #expect(response.head["access-control-allow-origin"] == "https://app.example", "\(status)")
            #expect(response.head["vary"] == "origin", "\(status)")
        }
        if hasKeys { #expect(try router.chat("demo", fields: [origin]).head["access-control-allow-origin"] == "https://app.example") }
        let client = try router.client()
        client.send(
            RouterProcess.request(
                "POST", "/v1/chat/completions", body: RouterProcess.chatBody("demo", stream: true), key: key, fields: [origin]))
        let stream = try client.readStream()
        #expect(stream.isDone && stream.head["access-control-allow-origin"] == "https://app.example")
        #expect(stream.head["access-control-expose-headers"]?.contains("x-router-model") == true)
    }
}
