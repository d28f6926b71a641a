import HTTPWire
import ProviderKit

/// The endpoints of the router. No other code lists them.
enum EndpointTable {
    static let rows: [Endpoint] = [
        Endpoint("chat", .post, openAI("/chat/completions"), .operation(.chat), body: .buffered, serve: ChatEndpoint.serve),
        Endpoint("models", .get, openAI("/models"), .operation(.models), serve: ModelsEndpoint.list),
        Endpoint("models", .get, openAI("/models/{id}"), .operation(.models), serve: ModelsEndpoint.one),
        Endpoint("health", .get, openAI("/health"), .open, serve: HealthEndpoint.health),
        Endpoint("livez", .get, ["/livez"], .open, serve: HealthEndpoint.health),
        Endpoint("readyz", .get, ["/readyz"], .open, serve: HealthEndpoint.readiness),
        Endpoint("metrics", .get, ["/metrics"], .admin, serve: MetricsEndpoint.serve),
        Endpoint("reload", .post, ["/admin/reload"], .admin, serve: ReloadEndpoint.serve),
        Endpoint("explain", .post, ["/admin/explain"], .admin, body: .buffered, serve: ExplainEndpoint.serve),
        Endpoint("check", .post, ["/admin/check"], .admin, body: .buffered, serve: CheckEndpoint.serve),
    ]

    /// The three paths of an endpoint of OpenAI's API: clients disagree on the base URL.
    private static func openAI(_ path: String) -> [String] {
        ["/v1", "/api/v1", ""].map { $0 + path }
    }

    struct Match {
        let endpoint: Endpoint
        /// The part of the path in place of `{id}`, percent-decoded. It may contain slashes.
        var parameter: String?
    }

    /// The endpoint at a path, for any method. nil if there is none, or if its parameter is empty or not valid
    /// percent-encoding.
    static func match(path: String) -> Match? {
        for entry in exact where entry.path == path { return Match(endpoint: entry.endpoint) }
        for (prefix, endpoint) in prefixes where path.hasPrefix(prefix) {
            guard let parameter = String(percentEncoded: path.utf8.dropFirst(prefix.utf8.count)), !parameter.isEmpty else { return nil }
            return Match(endpoint: endpoint, parameter: parameter)
        }
        return nil
    }

    /// The endpoint name in metrics and in the access log for a path that is not an endpoint.
    static let otherName = "other"

    private static let placeholder = "{id}"

    /// In the order of the rows. The path of almost every request is the first, so a search finds it sooner than a hash
    /// would.
    private static let exact = rows.flatMap { row in
        row.paths.filter { !$0.hasSuffix(placeholder) }.map { (path: $0, endpoint: row) }
    }

    private static let prefixes = rows.flatMap { row in
        row.paths.filter { $0.hasSuffix(placeholder) }.map { (prefix: String($0.dropLast(placeholder.count)), endpoint: row) }
    }
}
