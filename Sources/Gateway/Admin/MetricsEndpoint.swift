import Codecs
import Engine
import ProviderKit
import Telemetry

/// The metrics: `GET /metrics` in Prometheus' text format, and `GET /admin/metrics` as JSON.
enum MetricsEndpoint {
    static func text(_ exchange: Exchange) {
        let engine = exchange.gateway.engine
        exchange.respondLater {
            Exchange.Reply(
                status: 200, body: await families(engine).prometheusText, contentType: "text/plain; version=0.0.4; charset=utf-8")
        }
    }

    static func json(_ exchange: Exchange) {
        let engine = exchange.gateway.engine
        exchange.respondLater {
            let families = await families(engine)
            return .json { families.write(to: &$0) }
        }
    }

    private static func families(_ engine: Engine) async -> [MetricFamily] {
        MetricFamilies(
            await engine.metrics(), engine.status.value, states: engine.stateViews, keys: engine.keyViews,
            bufferedBytes: engine.budget.usedBytes, spooledBytes: engine.spool.usedBytes
        ).all
    }
}
