import Foundation
import Testing

@testable import Engine
@testable import Telemetry

/// The dashboard for Grafana and the alert rules for Prometheus, in docs/monitoring.
struct MonitoringTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/monitoring/")

    /// The names of everything that a scrape may show.
    private static let series: Set<String> = {
        let policy = PolicyStatus.Value(digest: "", plugins: [], loadedAt: 0)
        let families = MetricFamilies(
            MetricSources(
                values: MetricValues(), policy: policy, generation: 1, states: [:], usableModels: [], providerKeys: [], limiters: [],
                budgets: [], keys: [],
                sharedStore: SharedStoreStatus(
                    place: "", isUp: true, reason: nil, since: 0, onFailure: .local, roundTrips: 0, failures: 0, decidedAlone: 0),
                pools: [], bufferedBytes: 0, spooledBytes: 0, process: ProcessFigures(),
                service: ServiceFigures(version: "", startedAt: 0, openConnections: 0))
        ).all
        return Set(
            families.flatMap { family in
                family.kind == .histogram ? ["_bucket", "_sum", "_count"].map { family.name + $0 } : [family.name]
            })
    }()

    @Test(arguments: ["dashboard.json", "alerts.yaml"])
    func `every metric that is named exists`(file: String) throws {
        let text = try String(contentsOf: Self.folder.appending(path: file), encoding: .utf8)
        let names = Set(text.matches(of: /\b(llm_router_|process_|config_last_)[a-z_]+/).map { String($0.output.0) })
        #expect(names.count >= 10)
        #expect(names.isSubset(of: Self.series), "\(names.subtracting(Self.series).sorted())")
    }

    @Test
    func `the dashboard can be imported: it asks for its data source, and no two panels share an id or a place`() throws {
        let data = try Data(contentsOf: Self.folder.appending(path: "dashboard.json"))
        let dashboard = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(dashboard["schemaVersion"] as? Int ?? 0 >= 39)
        let inputs = try #require(dashboard["__inputs"] as? [[String: Any]])
        #expect(inputs.map { $0["pluginId"] as? String } == ["prometheus"])
        let panels = try #require(dashboard["panels"] as? [[String: Any]])
        let ids = panels.compactMap { $0["id"] as? Int }
        #expect(Set(ids).count == panels.count)
        let places = panels.compactMap { panel in
            (panel["gridPos"] as? [String: Int]).map { "\($0["x"] ?? -1),\($0["y"] ?? -1)" }
        }
        #expect(Set(places).count == panels.count)
        // By the variable only, so that it works with any.
        for source in panels.compactMap({ $0["datasource"] as? [String: String] }) { #expect(source["uid"] == "${datasource}") }
    }
}
