import Codecs
import Engine
import ProviderKit
import Telemetry

/// The metrics: `GET /metrics` as text for Prometheus, and `GET /admin/metrics` as JSON.
enum MetricsEndpoint {
    static func text(_ exchange: Exchange) {
        let accepted = MediaRanges(exchange.server.head.fields.value("accept") ?? "*/*")
        func quality(_ format: MetricsText.Format) -> Double { accepted.quality(of: format.mediaType) }
        let format = quality(.openMetrics) > quality(.prometheus) ? MetricsText.Format.openMetrics : .prometheus
        let gateway = exchange.gateway
        exchange.respondLater {
            let text = MetricsText(await families(gateway), format)
            return Exchange.Reply(status: 200, body: text.bytes, contentType: format.contentType)
        }
    }

    static func json(_ exchange: Exchange) {
        let gateway = exchange.gateway
        exchange.respondLater {
            let families = await families(gateway)
            return .json { families.write(to: &$0) }
        }
    }

    private static func families(_ gateway: GatewayHandler) async -> [MetricFamily] {
        await gateway.engine.metricFamilies(
            ServiceFigures(
                version: gateway.admin.version, startedAt: gateway.startedAt, openConnections: gateway.openConnections,
                certificates: gateway.certificates))
    }
}
