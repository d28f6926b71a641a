import Testing

@testable import RoutingPolicy

struct HostNameTests {
    @Test(arguments: [
        "localhost", "LocalHost", "localhost.", "localhost:8080", "app.localhost", "a.b.localhost.:1", "127.0.0.1", "127.0.0.1:80",
        "127.255.0.9", "127.0.0.1.", "[::1]", "[::1]:8080", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::ffff:127.0.0.1]", "[::FFFF:7f00:1]:1",
    ])
    func `a name or address of this machine is loopback`(authority: String) throws {
        #expect(try #require(HostName(authority: authority)).isLoopback)
    }

    @Test(arguments: [
        "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evillocalhost", "127.evil.example", "127.0.0.1.1", "127.1",
        "128.0.0.1", "0.0.0.0", "10.0.0.1", "[::]", "[::2]", "[::ffff:10.0.0.1]", "[fe80::1]", "2130706433", "0x7f000001", "localhost..",
        "127.0.0.256", "127.0.0.01", "a",
    ])
    func `any other is not`(authority: String) {
        #expect(HostName(authority: authority)?.isLoopback != true)
    }

    @Test(arguments: [
        "", ".", "a b", "a/b", "a@b", "a:b:c", "::1", "[::1", "[127.0.0.1]", "[a]", "é.example", "*.example", ":80", "http://a",
        ".lan.example",
        "a..b",
    ])
    func `a text that is no host is refused`(authority: String) {
        #expect(HostName(authority: authority) == nil)
    }

    @Test(arguments: [
        ("Router.LAN", "router.lan."), ("[FD00:0::1]", "fd00::1"), ("10.0.0.1", "10.0.0.1."), ("[::ffff:10.0.0.1]", "10.0.0.1"),
    ])
    func `different spellings of a host are equal`(one: String, other: String) {
        #expect(HostName(one) != nil && HostName(one) == HostName(other))
    }

    @Test(arguments: [
        ("https://App.Example", "https://app.example"), ("https://app.example:443", "https://app.example"),
        ("http://app.example:80", "http://app.example"), ("http://localhost:3000", "http://localhost:3000"),
        ("http://app.example:443", "http://app.example:443"), ("chrome-extension://abcdefgh", "chrome-extension://abcdefgh"),
        ("http://[::1]:80", "http://[::1]"), ("http://[::1]", "http://[::1]"), ("app://obsidian.md", "app://obsidian.md"), ("*", "*"),
    ])
    func `an origin is kept as a browser sends it`(written: String, origin: String) {
        #expect(WebOrigin.normalized(written) == origin)
    }

    @Test(arguments: [
        "", "null", "app.example", "https://", "://app.example", "https://app.example/", "https://app.example/x", "https://*.example",
        "https://a@b", "https://a:b", "https://a:", "https://a:070", "https://a:70000", "https://a?b", "https://a#b", "1s://a", "**",
    ])
    func `a text that no browser sends is no origin`(text: String) {
        #expect(WebOrigin.normalized(text) == nil)
    }
}
