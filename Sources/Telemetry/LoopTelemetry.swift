import Codecs
package import Engine
import NIOCore
package import ProviderKit

/// The observer of one event loop's requests and calls: it counts them, keeps the last ones, and writes the access log.
/// Whoever wants to know collects copies from all loops.
package final class LoopTelemetry: CallObserver {
    private let log: AccessLog
    private var models: [ModelName: ModelCounters] = [:]
    /// The policy of the last call, by its generation, and the counters of its models by index, as far as they were
    /// used.
    private var generation = 0
    private var known: [ModelCounters?] = []
    /// At most a few dozen entries. The most frequent ones appear early, so a linear search finds them fast.
    private var requests: [(key: MetricValues.Request, count: Int)] = []
    private var fallbacks: [String: Int] = [:]
    private var activeCalls = 0
    private(set) var recent = RecentRequests()
    private(set) var minutes = RecentMinutes()

    package init(log: AccessLog) { self.log = log }

    package func began(_ call: RunningCall) { activeCalls += 1 }

    package func repeated(_ attempt: AttemptView, with repair: Repair?) {
        let counters = counters(ofModel: attempt.model, in: attempt.call)
        if repair == nil { counters.replays += 1 } else { counters.repairs += 1 }
    }

    package func attemptEnded(_ attempt: AttemptView, _ failure: FailedAttempt?) {
        let counters = counters(ofModel: attempt.model, in: attempt.call)
        if let failure {
            counters.failures[failure.reason, default: 0] += 1
        } else {
            counters.succeeded += 1
            if attempt.hasUnknownFinishReason { counters.unknownFinishReasons += 1 }
        }
    }

    package func ended(_ call: RunningCall, _ failure: CallFailure?) {
        activeCalls -= 1
        let record = call.record
        if failure == nil, record.isFallback { fallbacks[record.route ?? "", default: 0] += 1 }
        guard let model = record.usage.model else { return }
        let counters = counters(ofModel: model, in: call)
        if record.usage.source == .reported {
            counters.reported.add(record.usage.usage)
        } else {
            counters.estimated.add(record.usage.usage)
        }
        counters.audioSeconds += record.usage.usage.audioSeconds ?? 0
        if let cost = record.cost { counters.cost += cost } else if call.snapshot.models[model].price == nil { counters.unpriced += 1 }
    }

    package func ended(_ request: borrowing RequestRecord) {
        let status = request.status, endpoint = request.endpoint
        if let known = requests.firstIndex(where: { $0.key.status == status && $0.key.endpoint == endpoint }) {
            requests[known].count += 1
        } else {
            requests.append((.init(endpoint: endpoint, status: status), 1))
        }
        let time = Timestamp.now()
        if !request.isAdministrative { minutes.add(request, at: time) }
        var line = JSONWriter(capacity: 1024)
        request.write(at: time, to: &line)
        line.withBytes {
            log.write($0)
            if !request.isAdministrative { recent.append($0, at: time) }
        }
    }

    /// The counters of a model. They continue over all policies that contain it.
    private func counters(ofModel model: Int, in call: RunningCall) -> ModelCounters {
        if call.snapshot.generation != generation {
            generation = call.snapshot.generation
            known = []
        }
        if model < known.count, !call.snapshot.isUnlisted(model), let counters = known[model] { return counters }
        let name = call.snapshot.metricName(ofModel: model)
        let counters = models[name] ?? ModelCounters()
        models[name] = counters
        guard !call.snapshot.isUnlisted(model) else { return counters }
        while known.count <= model { known.append(nil) }
        known[model] = counters
        return counters
    }

    var values: MetricValues {
        MetricValues(
            models: models.mapValues(\.values), requests: Dictionary(uniqueKeysWithValues: requests.map { ($0.key, $0.count) }),
            fallbacks: fallbacks, activeCalls: activeCalls, droppedLogLines: log.droppedLines)
    }
}
