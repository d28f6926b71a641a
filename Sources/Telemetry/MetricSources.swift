package import Engine
import RoutingPolicy

/// Everything that the metrics are made from, at one point in time.
package struct MetricSources: Sendable {
    var values: MetricValues
    var policy: PolicyStatus.Value
    var generation: Int
    var states: [ModelName: ModelStateView]
    var usableModels: [(route: String, count: Int)]
    var providerKeys: [(provider: String, keys: [(state: String, count: Int)])]
    var limiters: [NamedLimiterView]
    var budgets: [KeyBudgetView]
    /// What the operator says of the keys.
    var keys: [(name: String, labels: [KeyLabel])]
    /// nil: the router counts alone.
    var sharedStore: SharedStoreStatus?
    var pools: [PoolView]
    var bufferedBytes: Int
    var spooledBytes: Int
    var process: ProcessFigures
    var service: ServiceFigures
}

/// What the process knows about itself.
package struct ServiceFigures: Sendable {
    package var version: String
    /// In seconds since 1970.
    package var startedAt: Int
    /// Of clients.
    package var openConnections: Int
    /// Of the listeners with TLS.
    package var certificates: [CertificateFigures]

    package init(version: String, startedAt: Int, openConnections: Int, certificates: [CertificateFigures] = []) {
        (self.version, self.startedAt, self.openConnections) = (version, startedAt, openConnections)
        self.certificates = certificates
    }
}

/// The certificate of a listener.
package struct CertificateFigures: Sendable {
    /// The address, as the policy writes it.
    package var listener: String
    /// In seconds since 1970.
    package var expires: Int

    package init(listener: String, expires: Int) { (self.listener, self.expires) = (listener, expires) }
}

extension Engine {
    /// All metrics.
    package func metricFamilies(_ service: ServiceFigures) async -> [MetricFamily] {
        await readSharedBudgets()
        let snapshot = store.current
        return MetricFamilies(
            MetricSources(
                values: await metrics(), policy: status.value, generation: snapshot.generation, states: stateViews,
                usableModels: usableModels,
                providerKeys: keyViews,
                limiters: snapshot.limiterViews, budgets: snapshot.budgetViews(now: Timestamp.seconds()),
                keys: snapshot.policy.keys.map { ($0.name, $0.labels) }, sharedStore: shared?.status,
                pools: await poolViews(),
                bufferedBytes: budget.usedBytes, spooledBytes: spool.usedBytes,
                process: .now(), service: service)
        ).all
    }
}
