package import ProviderKit

/// `telemetry:`: what the router sends about its requests, and where.
package struct TelemetrySettings: Sendable, Equatable, OptionHolder {
    /// nil: requests aren't traced.
    package var otlp: OTLPSettings?

    package init() {}
}

/// `telemetry.otlp`: traces for an OpenTelemetry collector.
package struct OTLPSettings: Sendable, Equatable, OptionHolder {
    /// The collector's address. Its path is that of the collector, to which `/v1/traces` is added.
    package var endpoint = BaseURL(origin: Origin(isTLS: false, host: "127.0.0.1", port: 4318), path: "")
    /// Sent with each export; the values are secrets.
    package var headers: [HTTPField] = []
    /// The share of the traces that begin here which are exported. Those of failed requests always are.
    package var sample = 1.0
    /// Whether the spans of chats have their prompts and responses.
    package var content = false

    package init() {}

    /// The path of exports. Source: OTLP 1.9, "OTLP/HTTP Request".
    package var target: String { endpoint.path.hasSuffix("/v1/traces") ? endpoint.path : endpoint.path + "/v1/traces" }
}
