import TestSupport

/// Policy files that must be refused. Each has one mistake, which is its name.
enum BadPolicies {
    struct Bad: Sendable, CustomStringConvertible {
        let name: String
        let bytes: [UInt8]

        var description: String { name }
    }

    private static let good = """
        version: 1
        listen: 127.0.0.1:0
        providers:
          demo: { plugin: demo }
        models:
          demo: { provider: demo }

        """

    private static func text(_ name: String, _ text: String) -> Bad {
        Bad(name: name, bytes: Array(text.utf8))
    }

    private static func adding(_ name: String, _ lines: String) -> Bad { text(name, good + lines + "\n") }

    private static func provider(_ name: String, _ members: String) -> Bad {
        text(name, good.replacing("demo: { plugin: demo }", with: "demo: { plugin: demo }\n  x: { \(members) }"))
    }

    private static func ninefold(_ alias: Character, _ anchor: Character) -> String {
        "  \(anchor): &\(anchor) [" + repeatElement("*\(alias)", count: 9).joined(separator: ",") + "]"
    }

    static let all: [Bad] = syntax + schema + values + references

    private static let syntax: [Bad] = [
        adding("tab", "routes:\n\tr: { try: demo }"),
        adding("open quote", "routes: { r: { try: \"demo } }"),
        adding("open bracket", "routes: { r: { try: [demo }"),
        adding("bad indentation", "routes:\n  r: { try: demo }\n s: { try: demo }"),
        adding("unknown alias", "routes: { r: *nowhere }"),
        adding("two documents", "---\nversion: 1"),
        adding("foreign tag", "routes: { r: !!python/object { try: demo } }"), adding("NUL", "routes: { \"r\u{0}\": { try: demo } }"),
        Bad(name: "bad UTF-8", bytes: Array(good.utf8) + Array("routes: { r: { try: \"".utf8) + [0xC3, 0x28] + Array("\" } }\n".utf8)),
        text("empty", ""), text("a scalar", "hello\n"), text("a list", "- version: 1\n"),
        adding("depth 10,000", "routes: " + String(repeating: "[", count: 10_000)),
        text("10 MiB", good + String(repeating: "# x\n", count: 2_621_440)),
        adding("alias bomb", "routes:\n  a: &a [x,x,x,x,x,x,x,x,x]\n" + zip("abcdefgh", "bcdefghi").map(ninefold).joined(separator: "\n")),
    ]

    private static let schema: [Bad] = [
        adding("duplicate key", "models: { other: { provider: demo } }"),
        adding("duplicate route", "routes:\n  r: { try: demo }\n  r: { try: demo }"),
        adding("unknown key", "route: { r: { try: demo } }"),
        adding("unknown key of a route", "routes: { r: { tries: demo } }"),
        adding("reserved key", "tls: {}"),
        adding("list for a map", "routes: [demo]"),
        adding("map for a scalar", "routes: { r: { try: demo, max_attempts: {} } }"),
        adding("scalar for a map", "server: fast"),
        provider("no plugin", "chunks: 3"), provider("unknown plugin", "plugin: nonsense"),
        provider("unknown option", "plugin: demo, chunk: 3"),
        adding("no try", "routes: { r: { fallback: [demo] } }"),
        adding("unknown failure class", "routes: { r: { try: demo, fallback_on: { nonsense: [demo] } } }"),
        text("version 2", good.replacing("version: 1", with: "version: 2")),
    ]

    private static let values: [Bad] = [
        adding("time without unit", "server: { keepalive: 15 }"),
        adding("negative time", "server: { keepalive: -15s }"),
        adding("time overflow", "server: { keepalive: 99999999999999999999h }"),
        adding("NaN", "server: { keepalive: .nan }"),
        adding("size without unit", "server: { max_body: 1000 }"),
        adding("int overflow", "defaults: { max_attempts: 99999999999999999999 }"),
        adding("text for an int", "defaults: { max_attempts: many }"),
        adding("zero attempts", "defaults: { max_attempts: 0 }"),
        adding("unset variable", "server: { keepalive: \"${NOT_SET_ANYWHERE}\" }"),
        adding("open variable", "server: { keepalive: \"${OPEN\" }"),
        adding("missing secret file", "keys: { k: { secret: \"${file:/nonexistent/secret}\" } }"),
        adding("empty secret", "keys: { k: { secret: \"\" } }"),
        adding("short digest", "keys: { k: { sha256: abc } }"),
        adding("key without secret", "keys: { k: { admin: true } }"),
        provider("file URL", "plugin: openai-compatible, base_url: \"file:///etc/passwd\""),
        provider("userinfo URL", "plugin: openai-compatible, base_url: \"http://user:pw@h/v1\""),
        provider("no host", "plugin: openai-compatible, base_url: \"http:///v1\""),
        provider("bad port", "plugin: openai-compatible, base_url: \"http://h:99999/v1\""),
        provider("fragment URL", "plugin: openai-compatible, base_url: \"http://h/v1#x\""),
        provider("no base_url", "plugin: openai-compatible"),
        provider("CR in a header", "plugin: openai-compatible, base_url: \"http://h/v1\", headers: { X-A: \"a\\rb\" }"),
        provider("status out of range", "plugin: demo, fail: 9999"),
        text("bad address", good.replacing("127.0.0.1:0", with: "127.0.0.1:http")),
        text("port out of range", good.replacing("127.0.0.1:0", with: "127.0.0.1:70000")),
        text("open to the world without keys", good.replacing("127.0.0.1:0", with: "0.0.0.0:0")),
    ]

    private static let references: [Bad] = [
        adding("unknown try", "routes: { r: { try: nowhere } }"),
        adding("unknown fallback", "routes: { r: { try: demo, fallback: [nowhere] } }"),
        adding("unknown fallback_on", "routes: { r: { try: demo, fallback_on: { content_filter: [nowhere] } } }"),
        adding("self loop", "routes: { r: { try: r } }"),
        adding("cycle", "routes:\n  a: { try: demo, fallback: [b] }\n  b: { try: demo, fallback: [c] }\n  c: { try: demo, fallback: [a] }"),
        text("unknown provider", good.replacing("provider: demo", with: "provider: nowhere")),
        adding("include of nothing", "include: [nowhere.yaml]"),
    ]
}

extension String {
    func dropFirst(utf8 count: Int) -> String { String(decoding: Array(utf8).dropFirst(count), as: UTF8.self) }

    /// Whether the text contains `routes.yaml:LINE:COLUMN`.
    var hasPlace: Bool { contains(/routes\.yaml:[0-9]+:[0-9]+/) }
}
