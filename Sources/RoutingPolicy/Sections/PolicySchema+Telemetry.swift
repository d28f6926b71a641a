import ConfigTree
internal import Crypto
import ProviderKit

extension TelemetrySettings {
    static let section = OptionSection<TelemetrySettings>(
        "telemetry", "what the router sends about its requests, and where",
        [
            Option(
                section: "otlp", \.otlp, OTLPSettings.section, .words("none"),
                help: "traces for an OpenTelemetry collector, over HTTP")
        ])
}

extension OTLPSettings {
    static let section = OptionSection<OTLPSettings>(
        "otlp", "traces for an OpenTelemetry collector, over HTTP",
        [
            Option(
                "endpoint", takes: .address, .required,
                help: "the collector's address, such as http://127.0.0.1:4318; '/v1/traces' is added",
                entries: { otlp, _ in [OptionEntry("endpoint", .text(otlp.endpoint.text))] },
                read: { fields, _, otlp in if let url = fields.baseURL("endpoint", required: true) { otlp.endpoint = url } }),
            Option(
                "headers", takes: .other("header fields"), .words("none"),
                help: "sent with each export; their values are treated as secrets",
                entries: { otlp, _ in otlp.headers.isEmpty ? [] : [OptionEntry("headers", .opaque(otlp.headersDigest))] },
                read: { fields, _, otlp in otlp.headers = fields.headers("headers") ?? [] }),
            Option(
                "sample", \.sample, .ratio,
                help: "the share of the traces that begin here which are exported; those of failed requests always are"),
            Option(
                "content", \.content, .bool,
                help: "whether the spans of chats have their prompts and responses, without the policy's secrets, 64 KiB each"),
        ])

    private var headersDigest: [UInt8] {
        var hash = SHA256()
        for field in headers {
            guard case .secret(let value) = field.value else { continue }
            hash.update(data: Array("\(field.name): \(value.reveal())\n".utf8))
        }
        return Array(hash.finalize())
    }
}

extension BaseURL {
    fileprivate var text: String { "\(origin.isTLS ? "https" : "http")://\(origin.authority)\(path)" }
}
