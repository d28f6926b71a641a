import ConfigTree
import ProviderKit
import Testing

struct BaseURLTests {
    private let position = SourcePosition(file: "f", line: 1, column: 1)

    private func read(_ text: String) -> (BaseURL?, [ConfigIssue]) {
        let node = ConfigNode(.scalar(ConfigScalar(text, style: .quoted)), at: position)
        var fields = FieldReader([ConfigEntry(key: ConfigText("base_url", at: position), value: node)], at: position)
        let url = fields.baseURL("base_url")
        return (url, fields.finish())
    }

    @Test(
        arguments: [
            ("https://api.example.com/v1", true, "api.example.com", 443, "/v1"), ("http://127.0.0.1:11434", false, "127.0.0.1", 11434, ""),
            ("HTTPS://API.Example.COM/", true, "api.example.com", 443, ""),
            ("http://[::1]:9000/a/b//", false, "::1", 9000, "/a/b"), ("http://[2001:DB8::1]", false, "2001:db8::1", 80, ""),
            ("http://my_host:80/%7Ea", false, "my_host", 80, "/%7Ea"),
        ] as [(String, Bool, String, UInt16, String)])
    func `an address is split into its parts`(text: String, isTLS: Bool, host: String, port: UInt16, path: String) {
        #expect(read(text).0 == BaseURL(origin: Origin(isTLS: isTLS, host: host, port: port), path: path))
    }

    @Test(arguments: [
        "file:///etc/passwd", "ftp://h/", "api.example.com", "//h/v1", "http:/h", "http://", "http:///v1", "http://u@h", "http://u:p@h/v1",
        "http://h?x=1", "http://h/v1#f", "http://h:0", "http://h:65536",
        "http://h:", "http://h:8o", "http://h:+80", "http://[::1", "http://[::1]x", "http://[127.0.0.1]", "http://[fe80::1%25eth0]",
        "http://h/a/../b", "http://h/./b", "http://h/%2e%2E/b", "http://h\\@x",
        "http://h /", "http://hé/", "http://a%2Eb/", "http://evil.org#.example.com", "http://a:b:1",
    ])
    func `an ambiguous address is refused, and its secrets are never shown`(text: String) {
        let (url, issues) = read(text)
        #expect(url == nil)
        #expect(issues.count == 1)
        #expect(issues.allSatisfy { !$0.message.contains("u:p") && !$0.message.contains("x=1") })
    }

    @Test(arguments: [
        ("https://h/v1/complete", "/complete"), ("https://h/v1/chat/completions/", "/chat/completions"),
        ("https://h/v1beta/models/gemini-2.5-pro:generateContent", "/models/gemini-2.5-pro:generateContent"),
        ("https://h/v1beta/models/x:streamGenerateContent", "/models/x:streamGenerateContent"), ("https://h/m:predict", "/m:predict"),
        ("https://h/v1", nil), ("https://h:8080/", nil), ("https://h/completes", nil),
    ])
    func `the path of an endpoint at the end of an address is a warning`(text: String, ending: String?) {
        let (url, issues) = read(text)
        #expect(url != nil && issues.compactMap(\.hint) == (ending.map { ["remove '\($0)' at the end"] } ?? []))
        #expect(issues.allSatisfy { $0.severity == .warning })
    }

    @Test(arguments: ["Content-Length", "host", "Transfer-Encoding", "X Y", "", "a:b"])
    func `headers that frame a message and invalid header names are refused`(name: String) {
        let value = ConfigNode(.scalar(ConfigScalar("v")), at: position)
        let map = ConfigNode(.mapping([ConfigEntry(key: ConfigText(name, at: position), value: value)]), at: position)
        var fields = FieldReader([ConfigEntry(key: ConfigText("headers", at: position), value: map)], at: position)
        #expect(fields.headers("headers") == [])
        #expect(fields.finish().count == 1)
    }
}
