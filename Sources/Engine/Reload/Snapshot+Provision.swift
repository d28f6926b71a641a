package import RoutingPolicy

extension Snapshot {
    /// Creates a snapshot of `policy`. A provider whose name and settings are the same in `running` keeps its instance,
    /// with its connections and its state. The running snapshot is not modified.
    ///
    /// - Parameters:
    ///   - spent: what the keys spent before the process began.
    ///   - seconds: the time, in seconds since 1970.
    package static func provision(
        _ policy: RoutingPolicy, over running: Snapshot?, spent: EarlierSpending = { _, _, _ in Spending() }, at seconds: Int
    ) -> Snapshot {
        var kept: [String: ProviderInstance] = [:]
        for case let instance? in running?.instances ?? [] { kept[instance.name] = instance }
        let instances = policy.providers.map { definition -> ProviderInstance? in
            guard let settings = definition.settings else { return nil }
            let poolIdle = policy.defaults.timeouts.overridden(by: definition.timeouts).poolIdle
            if let instance = kept[definition.name], instance.settings.isEqual(to: settings), instance.poolIdle == poolIdle {
                return instance
            }
            let loaded = policy.plugins.contains { $0.name == definition.plugin } ? definition.plugin : nil
            return ProviderInstance(name: definition.name, settings: settings, poolIdle: poolIdle, loadedPlugin: loaded)
        }
        let states = ModelStates.provision(policy, over: running?.states, spent: spent, now: seconds) { provider in
            running?.instances.contains { $0 != nil && $0 === instances[provider] } == true
        }
        return Snapshot(policy: policy, generation: (running?.generation ?? 0) + 1, instances: instances, states: states, loadedAt: seconds)
    }

    /// The instances of this snapshot that `next` does not contain.
    func removed(in next: Snapshot) -> [ProviderInstance] {
        instances.compactMap { instance in
            guard let instance, !next.instances.contains(where: { $0 === instance }) else { return nil }
            return instance
        }
    }
}
