import Codecs
package import Engine
import NIOCore
package import ProviderKit

/// The observer of one event loop's requests and calls: it counts them, keeps the last ones, and writes the access log.
/// Whoever wants to know collects copies from all loops.
package final class LoopTelemetry: CallObserver {
    private let log: AccessLog
    /// What the log's current policy makes of it, by its generation.
    private var target: AccessLog.Target
    private var targetGeneration: Int
    /// Chooses the requests of a sample.
    private var random: SplitMix64
    private let usage: UsageBook?
    /// nil if traces are not exported in this process.
    private let spans: SpanExporter?
    /// Everything but the models.
    private var totals = MetricValues()
    private var models: [ModelName: ModelCell] = [:]
    /// The policy of the last call, by its generation, and the cells of its models by index, as far as they were used.
    private var generation = 0
    private var known: [ModelCell?] = []
    /// The ledger of the last request.
    private var line = JSONWriter(capacity: 1024)
    private(set) var recent = RecentRequests()
    private(set) var minutes = RecentMinutes()

    /// The counters of a model, in a place where they can be changed.
    private final class ModelCell {
        let name: ModelName
        var counters = ModelCounters()

        init(_ name: ModelName) { self.name = name }
    }

    /// - Parameter seed: that of the random choices.
    package init(log: AccessLog, usage: UsageBook? = nil, spans: SpanExporter? = nil, seed: UInt64 = .random(in: .min ... .max)) {
        self.log = log
        targetGeneration = log.generation
        target = log.current
        self.usage = usage
        self.spans = spans
        random = SplitMix64(seed: seed)
    }

    package func began(_ call: RunningCall) { totals.activeCalls += 1 }

    package func repeated(_ attempt: AttemptView, with repair: Repair?) {
        cell(ofModel: attempt.model, in: attempt.call).counters.countRepeat(isRepair: repair != nil)
    }

    package func attemptEnded(_ attempt: AttemptView, _ failure: FailedAttempt?) {
        cell(ofModel: attempt.model, in: attempt.call).counters.countAttempt(
            failure, hasUnknownFinishReason: attempt.hasUnknownFinishReason)
    }

    package func ended(_ call: RunningCall, _ failure: CallFailure?) {
        totals.activeCalls -= 1
        let record = call.record, tokens = TokenCounts(record.usage.usage), trace = call.request.trace.flatMap { $0.isSampled ? $0 : nil }
        totals.count(call, tokens, trace: trace)
        guard let paid = record.usage.model ?? record.lostModel else { return }
        let cell = cell(ofModel: paid, in: call)
        usage?.add(call, to: cell.name)
        guard let model = record.usage.model else { return }
        cell.counters.countCall(record, tokens, trace: trace)
        if record.firstContentTime != nil { countStreams(of: call, servedBy: model, trace) }
    }

    /// Counts a stream at each model of which the client has content: several if it was resumed.
    private func countStreams(of call: RunningCall, servedBy model: Int, _ trace: TraceContext?) {
        let record = call.record
        var first = record.firstContentTime
        for failed in record.failures where failed.firstContentTime != nil {
            cell(ofModel: failed.index, in: call).counters.countStream(
                failed.isCancelled ? .cancelled : .broken, firstContentTime: first, trace: trace)
            first = nil
        }
        guard record.failure == nil else { return }
        cell(ofModel: model, in: call).counters.countStream(.completed, firstContentTime: first, trace: trace)
    }

    package func ended(_ request: borrowing RequestRecord) {
        totals.count(request)
        let time = Timestamp.now()
        if !request.isAdministrative { minutes.add(request, at: time) }
        refreshTarget()
        let isLogged = target.takes(request, using: &random), isKept = !request.isAdministrative
        // The ledger that is kept has no bodies, and is always JSON.
        let isSame = !target.isText && request.bodies == nil
        if isKept || isLogged && isSame {
            line.removeAll()
            request.write(at: time, to: &line)
            line.withBytes {
                if isLogged, isSame { write($0) }
                if isKept { recent.append($0, at: time) }
            }
        }
        if isLogged, !isSame { writeAnew(request, at: time) }
        export(request, at: time)
    }

    /// Exports the spans of a request that has some.
    private func export(_ request: borrowing RequestRecord, at time: Timestamp) {
        guard let spans, let trace = request.trace, let source = request.spanSource else { return }
        var json = JSONWriter(capacity: 4096)
        let count = request.writeSpans(trace, source, end: time, to: &json)
        spans.add(SpanQueue.Spans(json: json.bytes, count: count))
    }

    /// Writes a line of the access log that differs from the ledger.
    private func writeAnew(_ request: borrowing RequestRecord, at time: Timestamp) {
        if target.isText {
            var text = request.text(at: time, hasColors: target.hasColors)
            text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
        } else {
            var line = JSONWriter(capacity: 4096)
            request.write(at: time, withBodies: true, to: &line)
            line.withBytes { write($0) }
        }
    }

    private func write(_ line: UnsafeRawBufferPointer) {
        if target.lines.write(line) { return }
        // A reload has closed the writer since this request looked.
        refreshTarget()
        if !target.lines.write(line) { log.countDropped() }
    }

    private func refreshTarget() {
        let generation = log.generation
        guard generation != targetGeneration else { return }
        targetGeneration = generation
        target = log.current
    }

    /// The counters of a model. They continue over all policies that contain it.
    private func cell(ofModel model: Int, in call: RunningCall) -> ModelCell {
        if call.snapshot.generation != generation {
            generation = call.snapshot.generation
            known = []
        }
        if model < known.count, !call.snapshot.isUnlisted(model), let cell = known[model] { return cell }
        let name = call.snapshot.metricName(ofModel: model)
        let cell = models[name] ?? ModelCell(name)
        models[name] = cell
        guard !call.snapshot.isUnlisted(model) else { return cell }
        while known.count <= model { known.append(nil) }
        known[model] = cell
        return cell
    }

    var values: MetricValues {
        var values = totals
        values.models = models.mapValues(\.counters)
        values.droppedLogLines = log.droppedLines
        if let spans { (values.exportedSpans, values.droppedSpans) = (spans.exportedSpans, spans.droppedSpans) }
        return values
    }
}
