import Codecs
import Engine
import HTTPWire
import ProviderKit

/// The spans of a request: one of the request itself, as the client's server, and one of each attempt, as a provider's
/// client. They are made when the request has ended. They have no message of an upstream, which may quote the prompt,
/// and prompts and responses only if the policy says so.
///
/// Source: OpenTelemetry's semantic conventions for HTTP spans and for generative AI.
extension RequestRecord {
    private static var serverKind: Int { 2 }
    private static var clientKind: Int { 3 }
    private static var errorStatus: Int { 2 }

    /// Writes the spans as OTLP's JSON has them, with a comma between them. Returns how many there are.
    ///
    /// - Parameter end: when the request ended.
    func writeSpans(_ trace: TraceContext, _ source: SpanSource, end: Timestamp, to writer: inout JSONWriter) -> Int {
        let start = end.allNanoseconds - Int(duration.wholeNanoseconds)
        writeServerSpan(trace, source, start, end.allNanoseconds, to: &writer)
        guard let running = source.call else { return 1 }
        let attempts = AttemptSpan.all(of: running)
        for attempt in attempts {
            // What the client has asked and got is said once.
            let content = attempt.number == attempts.count ? source.content : nil
            write(attempt, of: running, trace, content, start, to: &writer)
        }
        return 1 + attempts.count
    }

    // MARK: The request

    private func writeServerSpan(_ trace: TraceContext, _ source: SpanSource, _ start: Int, _ end: Int, to writer: inout JSONWriter) {
        let method = method ?? "_OTHER"
        writer.object {
            writeHead(
                trace, id: trace.spanID, parent: trace.parentID, name: "\(method) \(source.route)",
                kind: Self.serverKind, start, end, to: &$0)
            $0.key("attributes")
            $0.array { list in
                list.attribute("http.request.method", method)
                list.attribute("http.route", source.route)
                list.attribute("http.response.status_code", status)
                if let path { list.attribute("url.path", path) }
                list.attribute("url.scheme", source.scheme)
                if let remoteHost { list.attribute("client.address", remoteHost) }
                if let type = errorType { list.attribute("error.type", type) }
                if let session { list.attribute("gen_ai.conversation.id", session) }
                list.attribute("llm_router.request_id", requestID)
                list.attribute("llm_router.endpoint", endpoint)
                if let key { list.attribute("llm_router.key", key) }
                for label in keyLabels { list.attribute(named: "llm_router.key.metadata.\(label.name)", label.text) }
                if let requestedModel { list.attribute("llm_router.requested_model", requestedModel) }
                if let call { Self.write(call, to: &list) }
            }
            if let call { writeEvents(call, source.call, start, to: &$0) }
            // Of a client's own mistakes, the span of the server is no error.
            if status >= 500 || status < 400 && hasFailed { Self.writeError(to: &$0) }
        }
    }

    private static func write(_ call: CallRecord, to list: inout JSONWriter) {
        if let route = call.route { list.attribute("llm_router.route", route) }
        list.attribute("llm_router.attempts", call.attempts)
        list.attribute("llm_router.fallback", call.isFallback)
        list.attribute("llm_router.hedged", call.isHedged)
        list.attribute("llm_router.resumed", !call.resumePoints.isEmpty)
        list.attribute("llm_router.usage_source", call.usage.source.rawValue)
        if let cost = call.cost { list.attribute("llm_router.cost_usd", cost) }
        list.attribute("llm_router.config_digest", call.config)
    }

    /// The class of the failure of a call, or the router's own code: never that of an upstream, which may be any text.
    private var errorType: String? {
        guard hasFailed else { return nil }
        if let failure = call?.failure, failure != .cancelled { return failure.rawValue }
        return error ?? "\(status)"
    }

    /// Failed attempts that another one followed, breakers that opened, and the first content.
    private func writeEvents(_ call: CallRecord, _ running: RunningCall?, _ start: Int, to writer: inout JSONWriter) {
        let isServed = call.failure == nil
        let errors = call.errors.filter { !$0.isCancelled }
        let retried = errors.enumerated().filter { isServed || $0.offset < errors.count - 1 || $0.element.repair != nil }
        guard !retried.isEmpty || !call.openedBreakers.isEmpty || call.firstContentTime != nil else { return }
        writer.key("events")
        writer.array { list in
            for (_, failure) in retried {
                Self.writeEvent("llm_router.retry", start + Int((failure.start + failure.duration).wholeNanoseconds), to: &list) {
                    $0.attribute("llm_router.provider", failure.provider)
                    $0.attribute("llm_router.model", failure.model)
                    $0.attribute("llm_router.attempt.class", failure.error.failure.rawValue)
                    $0.attribute("llm_router.attempt.reason", failure.reason)
                    if let status = failure.error.status { $0.attribute("http.response.status_code", status) }
                    if let repair = failure.repair { $0.attribute("llm_router.attempt.repair", repair) }
                }
            }
            for opened in call.openedBreakers {
                Self.writeEvent("llm_router.breaker_opened", start + Int(opened.time.wholeNanoseconds), to: &list) {
                    $0.attribute("llm_router.provider", opened.provider)
                    if let model = opened.model { $0.attribute("llm_router.model", model) }
                }
            }
            if let time = call.firstContentTime {
                Self.writeEvent("llm_router.first_content", start + Int(time.wholeNanoseconds), to: &list) { _ in }
            }
        }
    }

    private static func writeEvent(
        _ name: StaticString, _ nanoseconds: Int, to list: inout JSONWriter, _ attributes: (inout JSONWriter) -> Void
    ) {
        list.object {
            $0.time("timeUnixNano", nanoseconds)
            $0.key("name")
            $0.plain(name)
            $0.key("attributes")
            $0.array(attributes)
        }
    }

    // MARK: The attempts

    private func write(
        _ attempt: AttemptSpan, of running: RunningCall, _ context: TraceContext, _ content: ChatContent?, _ start: Int,
        to writer: inout JSONWriter
    ) {
        let snapshot = running.snapshot, request = running.request, call = running.record
        let provider = snapshot.policy.providers[snapshot.models[attempt.model].provider]
        let origin = snapshot.instance(ofModel: attempt.model)?.provider.origin
        // A name that the policy doesn't have comes from the client.
        let upstream = snapshot.models[attempt.model].upstream,
            model = snapshot.isUnlisted(attempt.model) ? snapshot.mask(upstream) : upstream
        let operation = GenAIName.operation(request.operation)
        let end = attempt.end ?? call.totalTime, span = context.spanID(ofAttemptAt: attempt.start, model: attempt.model)
        let identity = call.identities[span]
        writer.object {
            writeHead(
                context, id: span, parent: context.spanID,
                name: "\(operation) \(model)", kind: Self.clientKind, start + Int(attempt.start.wholeNanoseconds),
                start + Int(max(attempt.start, end).wholeNanoseconds), to: &$0)
            $0.key("attributes")
            $0.array { list in
                list.attribute("gen_ai.operation.name", operation)
                list.attribute("gen_ai.provider.name", GenAIName.provider(plugin: provider.plugin, host: origin?.host))
                list.attribute("gen_ai.request.model", model)
                list.attribute("gen_ai.request.stream", request.isStream)
                if request.choices != 1 { list.attribute("gen_ai.request.choice.count", request.choices) }
                if let tokens = running.maxTokens { list.attribute("gen_ai.request.max_tokens", tokens) }
                RequestParameters(
                    request.body.bytes.readableBytesSpan, defaults: snapshot.models[attempt.model].requestDefaults,
                    overrides: snapshot.models[attempt.model].requestOverrides
                ).write(to: &list) { snapshot.mask($0) }
                if let origin {
                    list.attribute("server.address", origin.host)
                    list.attribute("server.port", Int(origin.port))
                }
                list.attribute("llm_router.provider", provider.name)
                list.attribute("llm_router.model", snapshot.metricName(ofModel: attempt.model).model)
                list.attribute("llm_router.attempt.number", attempt.number)
                if let model = identity?.model.map({ snapshot.mask.ifShown($0) }) ?? (attempt.failure == nil ? call.servingModel : nil) {
                    list.attribute("gen_ai.response.model", model)
                }
                let firstContent =
                    attempt.failure == nil ? call.resumePoints.last?.time ?? call.firstContentTime : attempt.failure?.firstContentTime
                if let time = firstContent, time >= attempt.start {
                    list.attribute("gen_ai.response.time_to_first_chunk", Double((time - attempt.start).wholeNanoseconds) / 1e9)
                }
                if let failure = attempt.failure {
                    Self.write(failure, to: &list)
                } else {
                    Self.writeSuccess(call, identity, to: &list) { snapshot.mask.ifShown($0) }
                }
                if let content { ContentAttributes(mask: { snapshot.mask($0) }).write(content, identity, to: &list) }
            }
            // An attempt that was cancelled, because another one was faster or the client left, is no error.
            if let failure = attempt.failure, failure.error.failure != .cancelled { Self.writeError(to: &$0) }
        }
    }

    private static func write(_ failure: FailedAttempt, to list: inout JSONWriter) {
        list.attribute("error.type", failure.reason)
        list.attribute("llm_router.attempt.class", failure.error.failure.rawValue)
        list.attribute("llm_router.attempt.reason", failure.reason)
        if let status = failure.error.status { list.attribute("http.response.status_code", status) }
        if let id = failure.requestID { list.attribute("llm_router.upstream_request_id", id) }
    }

    private static func writeSuccess(
        _ call: CallRecord, _ identity: ResponseIdentity?, to list: inout JSONWriter, mask: (String) -> String
    ) {
        if let identity {
            if let id = identity.id { list.attribute("gen_ai.response.id", mask(id)) }
            let reasons = identity.finishReasons
            if !reasons.isEmpty { list.attribute("gen_ai.response.finish_reasons", reasons.map(mask)) }
        }
        if let id = call.upstreamRequestID { list.attribute("llm_router.upstream_request_id", id) }
        // Estimates don't belong here. Source: the conventions on `gen_ai.client.token.usage`.
        guard call.usage.source == .reported else { return }
        let usage = call.usage.usage
        if let tokens = usage.promptTokens { list.attribute("gen_ai.usage.input_tokens", tokens) }
        if let tokens = usage.completionTokens { list.attribute("gen_ai.usage.output_tokens", tokens) }
        if let tokens = usage.cachedTokens { list.attribute("gen_ai.usage.cache_read.input_tokens", tokens) }
        if let tokens = usage.cacheWriteTokens { list.attribute("gen_ai.usage.cache_creation.input_tokens", tokens) }
        if let tokens = usage.reasoningTokens { list.attribute("gen_ai.usage.reasoning.output_tokens", tokens) }
    }

    // MARK: Both

    private func writeHead(
        _ context: TraceContext, id: UInt64, parent: UInt64?, name: String, kind: Int, _ start: Int, _ end: Int, to writer: inout JSONWriter
    ) {
        writer.traceID("traceId", of: context)
        writer.spanID("spanId", id)
        if let parent { writer.spanID("parentSpanId", parent) }
        if let state = context.state { writer.member("traceState", state) }
        writer.member("name", name.cut(atByte: 256))
        writer.member("kind", kind)
        writer.time("startTimeUnixNano", start)
        writer.time("endTimeUnixNano", end)
    }

    private static func writeError(to writer: inout JSONWriter) {
        writer.key("status")
        writer.object { $0.member("code", errorStatus) }
    }
}

/// An attempt of a call that has ended, as far as its span needs it.
private struct AttemptSpan {
    /// From 1.
    var number: Int
    /// An index into the models of the call's policy.
    var model: Int
    /// After the request's arrival.
    var start: Duration
    /// nil: with the call.
    var end: Duration?
    /// nil if the attempt succeeded.
    var failure: FailedAttempt?

    /// The attempts of a call, in the order in which they began. What was sent again with a repair is one attempt.
    static func all(of call: RunningCall) -> [AttemptSpan] {
        let record = call.record
        var attempts = record.failures.map {
            AttemptSpan(number: 0, model: $0.index, start: $0.start, end: $0.start + $0.duration, failure: $0)
        }
        if record.failure == nil, let served = record.presented {
            attempts.append(AttemptSpan(number: 0, model: served.model, start: served.start, end: nil, failure: nil))
        }
        attempts.sort { $0.start < $1.start }
        for index in attempts.indices { attempts[index].number = index + 1 }
        return attempts
    }
}
