import Codecs
import Engine
import NIOCore
import ProviderKit
import RoutingPolicy

/// The models of a policy with their state, as `/admin/state` shows them.
struct ModelStateList {
    struct Entry {
        let name: ModelName
        /// The model's key and definition.
        fileprivate let definition: ModelDefinition
        fileprivate let state: ModelState
        /// The wildcard that stands for the model; nil for a model of the policy.
        fileprivate let wildcard: String?
        /// The environment variables whose absence turns the provider off; nil if it is on.
        fileprivate let unset: [String]?
    }

    /// The models of the policy in its order, each wildcard followed by the models that it stood for lately.
    let entries: [Entry]

    /// - Parameter name: the only model that is wanted, as `model` or `provider/model`; nil: all.
    init(_ snapshot: Snapshot, named name: String? = nil) {
        var entries: [Entry] = []
        for (index, definition) in snapshot.policy.models.enumerated() {
            let unset = snapshot.instance(ofModel: index) == nil ? snapshot.policy.providers[definition.provider].unset : nil
            func add(_ state: ModelState, wildcard: String?) {
                let model = ModelName(provider: state.key.provider, model: state.key.name)
                guard name == nil || name == model.model || name == "\(model.provider)/\(model.model)" else { return }
                entries.append(Entry(name: model, definition: definition, state: state, wildcard: wildcard, unset: unset))
            }
            add(snapshot.states.models[index], wildcard: nil)
            guard definition.isWildcard else { continue }
            for state in snapshot.states.states(ofWildcard: index).sorted(by: { $0.key.name < $1.key.name }) {
                add(state, wildcard: definition.key)
            }
        }
        self.entries = entries
    }

    /// Closes the breakers of the models and of their providers' accounts, ends the cooldowns of their keys, and
    /// forgets their statistics.
    ///
    /// - Parameter loop: the event loop that runs this.
    func reset(in snapshot: Snapshot, on loop: EngineLoop) {
        for entry in entries {
            entry.state.reset()
            loop.announceReset(of: entry.state.key, in: snapshot)
            snapshot.instances[entry.definition.provider]?.keys?.reset()
        }
    }
}

extension ModelStateList.Entry {
    func write(to writer: inout JSONWriter, now: NIODeadline) {
        let view = state.view(now: now)
        writer.object {
            $0.member("provider", name.provider)
            $0.member("model", name.model)
            $0.member("upstream", state.key.upstream)
            if let wildcard { $0.member("wildcard", wildcard) }
            if definition.isHidden { $0.member("hidden", true) }
            $0.member("state", unset == nil ? view.availability.label : "off")
            if let unset {
                $0.key("unset")
                $0.array { for variable in unset { $0.string(variable) } }
            } else if let until = view.availability.until {
                $0.member("until", WireDate.rfc3339(WallClock.second(at: until)))
            }
            $0.key("breaker")
            $0.object { write(breakerOf: view, to: &$0) }
            $0.key("statistics")
            $0.object { write(view.statistics, to: &$0) }
            $0.member("in_flight", view.inFlight)
            if let limits = view.limits {
                $0.key("limits")
                $0.object { limits.write(to: &$0) }
            }
        }
    }

    private func write(breakerOf view: ModelStateView, to writer: inout JSONWriter) {
        writer.member("state", view.breaker.rawValue)
        writer.member("account", view.account.rawValue)
        writer.member("failures_in_row", view.failuresInRow)
        guard let opening = view.opening else { return }
        writer.key("opened")
        writer.object {
            $0.member("at", WireDate.rfc3339(opening.time))
            $0.member("class", opening.failure.rawValue)
            if let status = opening.status { $0.member("status", status) }
            $0.member("message", opening.message)
        }
    }

    private func write(_ statistics: StatisticsSummary, to writer: inout JSONWriter) {
        writer.member("samples", statistics.samples)
        writer.key("success_rate")
        writer.double(Double(statistics.successRate))
        for (name, mean) in [
            ("mean_ms", statistics.meanLatencyMilliseconds), ("mean_first_token_ms", statistics.meanFirstTokenMilliseconds),
        ]
            as [(StaticString, Float?)]
        {
            guard let mean else { continue }
            writer.key(name)
            writer.thousandths(Int(mean * 1000))
        }
    }
}

extension LimiterView {
    /// Writes the members for the limits that there are.
    func write(to writer: inout JSONWriter) {
        for (name, perMinute, left) in [
            ("requests", limits.requestsPerMinute, requestsLeft), ("tokens", limits.tokensPerMinute, tokensLeft),
        ] as [(StaticString, Int?, Int?)] {
            guard let perMinute else { continue }
            writer.key(name)
            writer.object {
                $0.member("per_minute", perMinute)
                $0.member("left", left ?? perMinute)
            }
        }
        guard let slots = limits.concurrent else { return }
        writer.key("concurrent")
        writer.object {
            $0.member("slots", slots)
            $0.member("in_use", slotsInUse ?? 0)
            $0.member("waiting", waiting ?? 0)
        }
    }
}
