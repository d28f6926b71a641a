import Codecs
package import HTTPWire
package import Logging
package import NIOCore
import ProviderKit
package import RoutingPolicy
import Synchronization

/// Sends spans to an OpenTelemetry collector, as JSON over HTTP. It works on one event loop and never waits there.
///
/// Source: OTLP 1.9, "OTLP/HTTP": the statuses 429, 502, 503 and 504 may be repeated, others not.
package final class SpanExporter: @unchecked Sendable {  // all but the queue is confined to its event loop
    private static let timeout = TimeAmount.seconds(10)
    private static let maxResponseBytes = 64 << 10

    private let eventLoop: any EventLoop
    private let tls: TLSContextProvider
    private let logger: Logger
    private let queue = Mutex(SpanQueue())
    /// What is before the spans of an export, and behind them.
    private let frame: (start: [UInt8], end: [UInt8])
    private let userAgent: String
    private var settings: OTLPSettings?
    private var pool: UpstreamPool?
    /// Whether the last export has failed.
    private var isFailing = false

    /// - Parameters:
    ///   - version: the router's.
    ///   - host: the machine's name.
    ///   - instance: tells processes apart.
    package init(
        _ settings: OTLPSettings?, version: String, host: String, instance: String, eventLoop: any EventLoop, tls: TLSContextProvider,
        logger: Logger
    ) {
        self.eventLoop = eventLoop
        self.tls = tls
        self.logger = logger
        frame = Self.frame(version: version, host: host, instance: instance)
        userAgent = "llm-router/\(version)"
        use(settings)
    }

    var exportedSpans: Int { queue.withLock { $0.exported } }
    var droppedSpans: Int { queue.withLock { $0.dropped } }

    /// Whether nothing waits for its export.
    package var isEmpty: Bool { queue.withLock { $0.isEmpty } }

    /// Replaces the collector. Without one, what waits is dropped.
    package func use(_ settings: OTLPSettings?) {
        eventLoop.execute { [self] in
            guard settings != self.settings else { return }
            pool?.shutdown()
            self.settings = settings
            pool = settings.map { settings in
                let origin = settings.endpoint.origin
                return UpstreamPool(
                    endpoint: UpstreamEndpoint(host: origin.host, port: Int(origin.port), isTLS: origin.isTLS), eventLoop: eventLoop,
                    settings: UpstreamPoolSettings(maxConnections: 1), tls: origin.isTLS ? tls : nil)
            }
            isFailing = false
        }
    }

    /// Queues the spans of a request. May be called on any thread.
    func add(_ spans: SpanQueue.Spans) { perform(queue.withLock { $0.add(spans) }) }

    /// Exports what waits without a further delay, because the process is stopping.
    package func flush() { eventLoop.execute { self.export() } }

    private func perform(_ action: SpanQueue.Action) {
        guard case .wake(let delay) = action else { return }
        eventLoop.scheduleTask(in: .nanoseconds(delay.wholeNanoseconds)) { self.export() }
    }

    private func export() {
        guard let settings, let pool else { return queue.withLock { $0.drop() } }
        guard let spans = queue.withLock({ $0.due() }) else { return }
        let head = UpstreamRequestHead(
            method: "POST", target: settings.target, authority: settings.endpoint.origin.authority,
            fields: [("content-type", "application/json"), ("user-agent", userAgent)] + settings.headers.map(\.revealed))
        let timeouts = UpstreamTimeouts(
            queue: .seconds(10), connect: .seconds(10), write: .seconds(10), firstByte: nil, total: .now() + Self.timeout)
        let message = UpstreamMessage(head, body: [body(of: spans)], isResponseBuffered: true)
        let response = ResponseCollector(maxBytes: Self.maxResponseBytes) { self.ended($0) }
        _ = pool.start(message, timeouts: timeouts, delegate: response)
    }

    private func body(of spans: [SpanQueue.Spans]) -> ByteBuffer {
        var body = ByteBuffer()
        body.reserveCapacity(frame.start.count + frame.end.count + spans.reduce(0) { $0 + $1.json.count + 1 })
        body.writeBytes(frame.start)
        for (index, part) in spans.enumerated() {
            if index > 0 { body.writeStaticString(",") }
            body.writeBytes(part.json)
        }
        body.writeBytes(frame.end)
        return body
    }

    private func ended(_ result: Result<ResponseCollector.Response, UpstreamFailure>) {
        let outcome: SpanQueue.Outcome
        switch result {
        case .success(let response) where 200..<300 ~= response.status:
            outcome = .accepted(rejected: Self.rejectedSpans(in: response.body))
            if isFailing { logger.notice("the collector takes spans again", metadata: ["endpoint": "\(endpoint)"]) }
            isFailing = false
        case .success(let response):
            outcome = [429, 502, 503, 504].contains(response.status) ? .unavailable(retryAfter: response.retryAfter) : .refused
            report("status \(response.status)")
        case .failure(let failure):
            outcome = .unavailable(retryAfter: nil)
            report(failure.classified().0.message)
        }
        perform(queue.withLock { $0.ended(outcome) })
    }

    /// Logs the first of several failures. The collector's own words are left out: it may repeat a header field.
    private func report(_ reason: String) {
        guard !isFailing else { return }
        isFailing = true
        logger.warning(
            "the collector doesn't take spans; some will be dropped",
            metadata: [
                "endpoint": "\(endpoint)", "reason": "\(reason)",
                "next": "check 'telemetry.otlp' and the collector; llm_router_spans_total counts the dropped spans",
            ])
    }

    private var endpoint: String { settings.map { "\($0.endpoint.origin.authority)\($0.target)" } ?? "" }

    // MARK: The message

    /// Source: opentelemetry-proto 1.9, `trace_service.proto` and `resource.proto`; the conventions on `service.*` and
    /// `host.*`.
    private static func frame(version: String, host: String, instance: String) -> ([UInt8], [UInt8]) {
        var writer = JSONWriter()
        writer.array {
            $0.attribute("service.name", "llm-router")
            $0.attribute("service.version", version)
            $0.attribute("service.instance.id", instance)
            $0.attribute("host.name", host)
        }
        var scope = JSONWriter()
        scope.object {
            $0.member("name", "llm-router")
            $0.member("version", version)
        }
        let start =
            Array(#"{"resourceSpans":[{"resource":{"attributes":"#.utf8) + writer.bytes + Array(#"},"scopeSpans":[{"scope":"#.utf8)
            + scope.bytes + Array(#","spans":["#.utf8)
        return (start, Array("]}]}]}".utf8))
    }

    /// Of a response such as `{"partialSuccess":{"rejectedSpans":"3"}}`.
    static func rejectedSpans(in body: [UInt8]) -> Int {
        guard case .object(let members)? = JSONTree(body.span.bytes),
            case .object(let partial)? = members.first(where: { $0.hasKey("partialSuccess") })?.value
        else { return 0 }
        switch partial.first(where: { $0.hasKey("rejectedSpans") })?.value {
        case .string(let digits), .scalar(let digits): return Int(String(decoding: digits, as: UTF8.self)) ?? 0
        case .array, .object, nil: return 0
        }
    }
}
