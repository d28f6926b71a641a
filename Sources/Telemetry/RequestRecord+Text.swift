import Engine
import HTTPWire
import ProviderKit

/// One line of the access log for people: the time, the status, the duration, the endpoint and what served the request,
/// in columns; then `name=value` for everything else that is worth a look.
extension RequestRecord {
    func text(at time: Timestamp, hasColors: Bool) -> String {
        var line = LogLine(hasColors: hasColors)
        line.column(time.text, style: .dim)
        line.column("\(status)", style: status >= 500 ? .red : status >= 400 ? .yellow : hasFailed ? .red : .green)
        line.column(LogLine.words(duration), width: 8, isRightAligned: true)
        line.column(endpoint, width: 12)
        line.column(target, width: 28, style: .bold)
        if let call { write(call, to: &line) }
        if let key { line.value("key", key) }
        for label in keyLabels { line.value(label.name, label.text) }
        if let session { line.value("session", Self.cut(session)) }
        if let error { line.value("error", Self.cut(error), style: .red) }
        if let message { line.value("message", Self.cut(message)) }
        if let trace { line.value("trace", trace.traceText, style: .dim) }
        line.value("id", requestID, style: .dim)
        if let body = bodies?.request { line.value("request_body", body) }
        if let body = bodies?.response { line.value("response_body", body) }
        return line.text
    }

    /// What served the request; without a call, what was asked for.
    private var target: String {
        if let call, let provider = call.provider, let model = call.model { return "\(provider)/\(model)" }
        return Self.cut(requestedModel ?? "\(method ?? "-") \(path ?? "-")")
    }

    private func write(_ call: CallRecord, to line: inout LogLine) {
        if let route = call.route { line.value("route", route) }
        if let requestedModel, requestedModel != call.route, requestedModel != call.model {
            line.value("requested", Self.cut(requestedModel))
        }
        if let model = call.servingModel { line.value("upstream_model", Self.cut(model)) }
        if isStream == true { line.flag("stream") }
        if call.attempts > 1 { line.value("attempts", "\(call.attempts)", style: .yellow) }
        if call.isFallback { line.flag("fallback", style: .yellow) }
        if call.isHedged { line.flag("hedged") }
        if call.isReplayed { line.flag("replayed") }
        if call.queueTime > .zero { line.value("queue", LogLine.words(call.queueTime)) }
        if let time = call.firstContentTime { line.value("first_content", LogLine.words(time)) }
        if call.usage.source != .unknown {
            let tokens = "\(call.usage.usage.promptTokens ?? 0)+\(call.usage.usage.completionTokens ?? 0)"
            line.value("tokens", call.usage.source == .reported ? tokens : "~\(tokens)")
        }
        if let cost = call.cost, cost > 0 { line.value("cost", "$\(LogLine.rounded(cost, 6))") }
        for attempt in call.errors {
            let what = attempt.repair.map { "repaired \($0)" } ?? attempt.reason
            line.value(
                "failed",
                "\(attempt.provider)/\(attempt.model): \(what) after \(LogLine.words(attempt.duration)): \(Self.cut(attempt.error.message))",
                style: .yellow)
        }
        for name in skippedNames { line.value("skipped", "\(Self.cut(name)): unknown or not allowed") }
        for skipped in call.skipped { line.value("skipped", "\(skipped.provider)/\(skipped.model): \(skipped.why)") }
        for point in call.resumePoints { line.value("resumed", "after \(point.provider)/\(point.model)") }
    }
}

/// A line that is being written, with two blanks between its parts.
struct LogLine {
    /// Source: ECMA-48, 8.3.117, "Select Graphic Rendition".
    enum Style: Int { case plain = 0, bold = 1, dim = 2, red = 31, green = 32, yellow = 33 }

    private let hasColors: Bool
    private(set) var text = ""

    init(hasColors: Bool) { self.hasColors = hasColors }

    /// A part of at least `width` characters.
    mutating func column(_ value: String, width: Int = 0, isRightAligned: Bool = false, style: Style = .plain) {
        let value = LogText.escaped(value), blanks = String(repeating: " ", count: max(0, width - value.count))
        add(isRightAligned ? blanks + styled(value, style) : styled(value, style) + blanks)
    }

    mutating func flag(_ name: String, style: Style = .plain) { add(styled(name, style)) }

    mutating func value(_ name: String, _ value: String, style: Style = .plain) {
        add(styled("\(LogText.escaped(name))=", .dim) + styled(LogText.quoted(value), style))
    }

    private mutating func add(_ part: String) {
        if !text.isEmpty { text += "  " }
        text += part
    }

    private func styled(_ value: String, _ style: Style) -> String {
        hasColors && style != .plain ? "\u{1B}[\(style.rawValue)m\(value)\u{1B}[0m" : value
    }

    /// A duration with three digits or so: `0.8ms`, `12ms`, `1.3s`, `75s`.
    static func words(_ duration: Duration) -> String {
        let milliseconds = Double(duration.wholeMicroseconds) / 1000
        if milliseconds < 9.95 { return "\(rounded(milliseconds, 1))ms" }
        if milliseconds < 999.5 { return "\(Int(milliseconds.rounded()))ms" }
        return milliseconds < 99_950 ? "\(rounded(milliseconds / 1000, 1))s" : "\(Int((milliseconds / 1000).rounded()))s"
    }

    /// A number with at most this many decimals.
    static func rounded(_ value: Double, _ decimals: Int) -> String {
        let power = (0..<decimals).reduce(1.0) { power, _ in power * 10 }
        let scaled = Int(clamping: Int64(exactly: (value * power).rounded()) ?? .max)
        var fraction = String(scaled % Int(power))
        fraction = String(repeating: "0", count: decimals - fraction.count) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        return "\(scaled / Int(power))" + (fraction.isEmpty ? "" : ".\(fraction)")
    }
}
