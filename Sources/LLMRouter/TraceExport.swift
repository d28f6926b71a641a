import Engine
import RoutingPolicy
import Telemetry

/// The collector of the traces, as a policy names it. Whether it answers shows only when there are spans.
struct TraceExport: PolicyResource {
    let exporter: SpanExporter

    func prepare(_ policy: RoutingPolicy) async throws -> any PreparedResource {
        Prepared(exporter: exporter, settings: policy.telemetry.otlp)
    }

    private struct Prepared: PreparedResource {
        let exporter: SpanExporter
        let settings: OTLPSettings?

        func commit() async { exporter.use(settings) }
        func undo() async {}
    }
}
