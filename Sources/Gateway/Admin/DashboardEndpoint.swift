import Codecs
import Crypto
import Dashboard
import HTTPWire
import NIOCore

/// `GET /ui/`: the files of the dashboard. They contain no data, so that everyone may load them. The page reads its
/// data from the admin endpoints, with the key that the operator gives it.
enum DashboardEndpoint {
    static func serve(_ exchange: Exchange) {
        // The page names its files relative to `/ui/`, so that it also works behind a proxy that adds a prefix.
        guard exchange.pathParameter != nil || exchange.server.head.path.hasSuffix("/") else {
            return exchange.respond(308, [], fields: { $0.add("location", "ui/") })
        }
        let name = exchange.pathParameter ?? "index.html"
        guard let file = files.first(where: { $0.name == name }) else {
            return exchange.respond(
                APIError(404, "the dashboard has no file '\(name.excerpt)'; the dashboard is at /ui/", code: "not_found"))
        }
        func addFields(_ head: inout ResponseHead) {
            head.add("etag", file.etag)
            head.add("cache-control", "no-cache")
            head.add("content-security-policy", contentSecurityPolicy)
            head.add("x-content-type-options", "nosniff")
            head.add("referrer-policy", "no-referrer")
            head.add("cross-origin-opener-policy", "same-origin")
        }
        if exchange.server.head.fields.value("if-none-match") == file.etag { return exchange.respond(304, [], fields: addFields) }
        exchange.respond(200, file.bytes, contentType: file.type, fields: addFields)
    }

    /// Scripts, styles and data come from the router alone, and no page may frame this one. `blob:` and `data:` are
    /// for images that the operator adds to a test request.
    /// Source: W3C Content Security Policy Level 3.
    static let contentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

    static let types = files.map { String($0.type.prefix { $0 != ";" }) }.sorted().reduce(into: [String]()) { types, type in
        if types.last != type { types.append(type) }
    }

    struct File: Sendable {
        let name: String
        let type: String
        let bytes: ByteBuffer
        let etag: String
    }

    static let files: [File] = UnsafeBufferPointer(start: dashboardFiles, count: dashboardFileCount).map { file in
        let bytes = UnsafeRawBufferPointer(start: file.bytes, count: file.count)
        return File(
            name: String(cString: file.name), type: String(cString: file.type), bytes: ByteBuffer(bytes: bytes),
            etag: "\"\(Hex.encoded(SHA256.hash(data: bytes).prefix(8)))\"")
    }
}
