import Engine
import HTTPWire
import ProviderKit

/// What the observers have counted since the start of the process, on one event loop or on all. Its keys come from the
/// policy or the program, never from a client.
package struct MetricValues: Sendable {
    struct Request: Hashable, Sendable {
        var endpoint: String
        var status: Int
    }

    /// A call that went from one model to the next one, because of a failure.
    struct Failover: Hashable, Sendable {
        var from: ModelName
        var to: ModelName
        var failure: FailureClass
    }

    var models: [ModelName: ModelCounters] = [:]
    /// At most a few dozen entries. The most frequent ones appear early, so a linear search finds them fast.
    private(set) var requests: [(key: Request, count: Int)] = []
    /// By route; the calls that name a model have an empty one.
    private(set) var routes = NamedCounters()
    /// By key; empty if the policy has none.
    private(set) var keys = NamedCounters()
    private(set) var failovers: [Failover: Int] = [:]
    /// From the end of a request's body to its plan.
    private(set) var overhead = Histogram(.overhead)
    /// Of the calls that waited in a queue.
    private(set) var queue = Histogram(.queue)
    /// Of streams, as they arrive from upstreams.
    var chunkSizes = Histogram(.chunk)
    /// Of request bodies.
    private(set) var receivedBytes = 0
    /// Of response bodies.
    private(set) var sentBytes = 0
    /// How often a slow client has stopped the reading of its upstream.
    var holds = 0
    /// Calls in progress.
    package internal(set) var activeCalls = 0
    /// Those of them whose streams have their first content.
    var openStreams = 0
    /// Lines that the access log, which all event loops share, has dropped.
    var droppedLogLines = 0
    /// Spans that the collector has got, and those that it hasn't. All event loops share their exporter.
    var exportedSpans = 0
    var droppedSpans = 0

    mutating func count(_ request: borrowing RequestRecord) {
        let status = request.status, endpoint = request.endpoint
        if let known = requests.firstIndex(where: { $0.key.status == status && $0.key.endpoint == endpoint }) {
            requests[known].count &+= 1
        } else {
            requests.append((Request(endpoint: endpoint, status: status), 1))
        }
        receivedBytes &+= request.bytesReceived
        sentBytes &+= request.bytesSent
    }

    /// - Parameter trace: the sampled trace of the call; nil if there is none.
    mutating func count(_ call: RunningCall, _ tokens: TokenCounts, trace: TraceContext?) {
        let record = call.record
        routes.count(record, tokens, of: record.route ?? "")
        if let key = call.request.key { keys.count(record, tokens, of: key) }
        overhead.observe(microseconds: record.planTime.wholeMicroseconds, trace: trace)
        if record.queueTime > .zero { queue.observe(microseconds: record.queueTime.wholeMicroseconds, trace: trace) }
        if !record.errors.isEmpty { countFailovers(of: call) }
    }

    private mutating func countFailovers(of call: RunningCall) {
        let record = call.record, failures = record.failures.filter { !$0.isCancelled }
        var followers = failures.dropFirst().map { (model: $0.index, start: $0.start) }
        if record.failure == nil, let model = record.usage.model, let start = record.presented?.start { followers.append((model, start)) }
        // A hedge that fails leaves the call to the attempt that began before it.
        for (failure, next) in zip(failures, followers) where failure.index != next.model && next.start > failure.start {
            let from = call.snapshot.metricName(ofModel: failure.index), to = call.snapshot.metricName(ofModel: next.model)
            failovers[Failover(from: from, to: to, failure: failure.error.failure), default: 0] &+= 1
        }
    }

    mutating func add(_ other: MetricValues) {
        for (name, counters) in other.models { models[name, default: ModelCounters()].add(counters) }
        for (key, count) in other.requests {
            if let known = requests.firstIndex(where: { $0.key == key }) {
                requests[known].count &+= count
            } else {
                requests.append((key, count))
            }
        }
        routes.add(other.routes)
        keys.add(other.keys)
        failovers.merge(other.failovers, uniquingKeysWith: &+)
        overhead.add(other.overhead)
        queue.add(other.queue)
        chunkSizes.add(other.chunkSizes)
        receivedBytes &+= other.receivedBytes
        sentBytes &+= other.sentBytes
        holds &+= other.holds
        activeCalls += other.activeCalls
        openStreams += other.openStreams
        droppedLogLines = max(droppedLogLines, other.droppedLogLines)
        exportedSpans = max(exportedSpans, other.exportedSpans)
        droppedSpans = max(droppedSpans, other.droppedSpans)
    }
}
