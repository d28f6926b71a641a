import Codecs
import HTTPWire

/// `GET /`: says what answers here and where the API is, as a page for browsers and as text for everyone else.
enum RootEndpoint {
    static func serve(_ exchange: Exchange) {
        let accept = exchange.server.head.fields.value("accept") ?? "*/*"
        let isPage = MediaRanges(accept).quality(of: "text/html") > MediaRanges(accept).quality(of: "text/plain")
        let text = text(needsKey: !exchange.snapshot.policy.keys.isEmpty)
        // The text contains nothing that HTML would have to escape.
        let body = isPage ? "<!doctype html>\n<html lang=\"en\"><title>llm-router</title>\n<pre>\n\(text)</pre></html>\n" : text
        exchange.respond(
            200, Array(body.utf8), contentType: isPage ? "text/html; charset=utf-8" : "text/plain; charset=utf-8",
            fields: { $0.add("vary", "accept") })
    }

    private static func text(needsKey: Bool) -> String {
        let lines = EndpointTable.rows.map { row in
            (call: "\(row.method.name) \(row.paths[0].replacing("{id}", with: "NAME"))", about: row.about)
        }
        let width = lines.map(\.call.count).max() ?? 0
        let list = lines.map { "  " + $0.call + String(repeating: " ", count: width - $0.call.count) + "  " + $0.about + "\n" }.joined()
        // Ollama's clients look for the first line. Source: ollama/ollama, server/routes.go.
        return """
            Ollama is running

            This is llm-router: one API in front of many language models

            The API is OpenAI's, at /v1 below this address: a client's base URL is http://HOST:PORT/v1
            Clients of Anthropic and of Ollama take http://HOST:PORT

            \(list)
            The paths below /v1 work below /api/v1 and without a prefix too.
            \(needsKey ? "Send a key of this router as 'Authorization: Bearer KEY'.\n" : "")
            """
    }
}

/// The value of `Accept`. Source: RFC 9110 section 12.5.1.
struct MediaRanges {
    private let ranges: [(type: Substring, quality: Double)]

    init(_ text: String) {
        ranges = text.split(separator: ",").map { element in
            let parts = element.split(separator: ";").map { $0.trimmingBlanks() }
            let weight = parts.dropFirst().first { $0.lowercased().hasPrefix("q=") }
            return (parts.first ?? "", weight.map { Double($0.dropFirst(2)) ?? 0 } ?? 1)
        }
    }

    /// 0 to 1; 0 for a type that is not accepted. The most specific range decides.
    func quality(of type: String) -> Double {
        let group = type.prefix { $0 != "/" } + "/*"
        for range in [type[...], group, "*/*"] {
            if let found = ranges.first(where: { $0.type.lowercased() == range }) { return found.quality }
        }
        return 0
    }
}
