import Engine
import Telemetry

/// `GET /metrics`, in Prometheus' text format.
enum MetricsEndpoint {
    static func serve(_ exchange: Exchange) {
        let gateway = exchange.gateway
        exchange.respondLater {
            var text = MetricsText()
            text.write(
                await gateway.engine.metrics(), gateway.engine.status.value, states: gateway.engine.stateViews,
                keys: gateway.engine.keyViews, bufferedBytes: gateway.engine.budget.usedBytes, spooledBytes: gateway.engine.spool.usedBytes)
            return Exchange.Reply(status: 200, body: text.bytes, contentType: "text/plain; version=0.0.4; charset=utf-8")
        }
    }
}
