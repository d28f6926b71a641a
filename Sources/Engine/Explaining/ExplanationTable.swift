import ProviderKit
import RoutingPolicy

/// An explanation as text, with the most important facts first. No line is longer than `width`.
package struct ExplanationTable {
    /// The width if the output's is not known.
    static let defaultWidth = 120
    /// Narrower tables would be cut too much.
    static let minWidth = 40
    private static let maxModels = 6
    private static let maxRules = 12

    private let explanation: Explanation
    private let policyName: String
    private let width: Int
    private var lines: [String] = []

    /// - Parameters:
    ///   - policyName: the name of the policy file.
    ///   - width: the columns of the terminal; nil if there is none.
    package init(_ explanation: Explanation, policyName: String, width: Int? = nil) {
        self.width = max(width ?? Self.defaultWidth, Self.minWidth)
        self.explanation = explanation
        self.policyName = policyName
        addHead()
        switch explanation.outcome {
        case .planned(let call):
            addAttempts(call)
            addLeftOut("left out")
            addWaits(call)
        case .refused(let refusal):
            lines.append("")
            addWrapped("refused", "\(refusal.status)\(refusal.code.map { " \($0)" } ?? ""): \(refusal.message)")
            addLeftOut("candidates")
        }
    }

    package var text: String { lines.joined(separator: "\n") + "\n" }

    // MARK: Head

    private mutating func addHead() {
        if let chosen = explanation.chosen {
            addWrapped("chosen", "\(chosen.model.label)\(chosen.isFallback ? ", a fallback" : "")")
        } else if case .planned = explanation.outcome {
            addWrapped("chosen", "none: every candidate is down")
        }
        addWrapped("request", explanation.request.summary)
        let state = explanation.request.keyState.description
        addWrapped("key", explanation.request.key.label + (state.isEmpty ? "" : ", \(state)"))
        addWrapped("policy", "\(policyName), digest \(explanation.config)")
        guard case .planned(let call) = explanation.outcome else { return }
        for replacement in call.replacements {
            addWrapped("when", "\(replacement.route): \(replacement.condition) -> \(replacement.use)")
        }
        if let sticky = call.sticky { addWrapped("sticky", sticky.label) }
        if !call.skippedNames.isEmpty {
            addWrapped("skipped", "\(call.skippedNames.joined(separator: ", ")): unknown, or not for this key")
        }
        guard let seed = call.seed else { return }
        let orders = Set((call.attempts + call.chains).map(\.reason.order)).filter(\.isDrawn).map(\.rawValue).sorted()
        addWrapped("draw", "\(orders.joined(separator: ", ")): order drawn with seed \(seed); '--seed N' draws another")
    }

    // MARK: Attempts

    private mutating func addAttempts(_ call: Explanation.PlannedCall) {
        var rows = [["#", "model", "from", "why", "state"]]
        for (index, attempt) in call.attempts.enumerated() { rows.append(row(attempt, "\(index + 1)")) }
        for attempt in call.chains { rows.append(row(attempt, "-")) }
        lines.append("")
        lines += aligned(rows, atMost: [3, 40, 28, 52, 40]).map { "  \($0)" }
        lines.append("  then \(call.status): \(call.ending.label)")
    }

    private func row(_ attempt: Explanation.Attempt, _ number: String) -> [String] {
        let wait = attempt.wait > .zero ? "after \(attempt.wait.rounded)" : ""
        return [
            number, attempt.model.label, attempt.part.label, [attempt.why, wait].filter { !$0.isEmpty }.joined(separator: ", "),
            [attempt.state.description, attempt.keys?.description ?? ""].filter { !$0.isEmpty }.joined(separator: ", "),
        ]
    }

    // MARK: Left out

    private mutating func addLeftOut(_ title: String) {
        guard !explanation.leftOut.isEmpty else { return }
        var rules: [String] = []
        var models: [String: [String]] = [:]
        for omitted in explanation.leftOut {
            if models[omitted.rule] == nil { rules.append(omitted.rule) }
            models[omitted.rule, default: []].append(omitted.model.label)
        }
        lines += ["", title]
        let labels = rules.prefix(Self.maxRules).map { "  \(Self.cut($0, to: min(76, width - 2)))" }
        let labelWidth = min(labels.map(\.count).max() ?? 0, width * 8 / 15) + 2
        for (rule, label) in zip(rules, labels) {
            let names = models[rule] ?? []
            let more = names.count > Self.maxModels ? ", and \(names.count - Self.maxModels) more" : ""
            addWrapped(label, names.prefix(Self.maxModels).joined(separator: ", ") + more, labelWidth: labelWidth)
        }
        if rules.count > Self.maxRules { lines.append("  and \(rules.count - Self.maxRules) more rules; --json lists all") }
    }

    // MARK: Waits

    private mutating func addWaits(_ call: Explanation.PlannedCall) {
        lines += ["", "waits"]
        addWait(
            "total", "\(call.total.rounded) for at most \(call.maxAttempts) attempts and at most \(call.maxModels) models of 'try'")
        if let timeout = call.attemptTimeout { addWait("timeout_secs", "\(timeout.rounded) for each attempt") }
        addWaits("attempt", of: call.attempts, \.timeoutSummary)
        addWaits("retries", of: call.attempts, \.retrySummary)
        if let hedge = call.hedge { addWait("hedge", hedge.explained) }
        if call.resumes { addWait("resume", "a broken stream continues at the next model that can resume it") }
    }

    /// One line for all attempts, or one for each group of attempts with the same text.
    private mutating func addWaits(_ name: String, of attempts: [Explanation.Attempt], _ text: (Explanation.Attempt) -> String) {
        var groups: [(text: String, numbers: [Int])] = []
        for (index, attempt) in attempts.enumerated() where !attempt.isRetry {
            let text = text(attempt)
            if let known = groups.firstIndex(where: { $0.text == text }) {
                groups[known].numbers.append(index + 1)
            } else {
                groups.append((text, [index + 1]))
            }
        }
        for group in groups { addWait(groups.count == 1 ? name : "\(name) \(Self.runs(group.numbers))", group.text) }
    }

    /// Numbers as ranges: `1, 3-5`.
    private static func runs(_ numbers: [Int]) -> String {
        var runs: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = runs.last, last.upperBound == number - 1 {
                runs[runs.count - 1] = last.lowerBound...number
            } else {
                runs.append(number...number)
            }
        }
        return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ", ")
    }

    private mutating func addWait(_ name: String, _ text: String) {
        addWrapped("  \(name)", text, labelWidth: 16)
    }

    // MARK: Lines

    private mutating func addWrapped(_ label: String, _ text: String, labelWidth: Int = 9) {
        var line = label + String(repeating: " ", count: max(0, labelWidth - label.count))
        if label.count >= labelWidth {
            lines.append(label)
            line = String(repeating: " ", count: labelWidth)
        }
        var isFirst = true
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            if !isFirst, line.count + 1 + word.count > width {
                lines.append(line)
                line = String(repeating: " ", count: labelWidth)
                isFirst = true
            }
            if !isFirst { line += " " }
            line += Self.cut(String(word), to: width - labelWidth)
            isFirst = false
        }
        lines.append(line)
    }

    /// The rows in columns. If they are wider than the table, the widest columns are cut first.
    private func aligned(_ rows: [[String]], atMost limits: [Int]) -> [String] {
        var widths = limits.indices.map { column in min(limits[column], rows.map { $0[column].count }.max() ?? 0) }
        let separators = 2 * widths.count
        while widths.reduce(separators, +) > width, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }), widths[widest] > 8 {
            widths[widest] -= 1
        }
        return rows.map { row in
            let line = zip(row, widths).map { cell, width in
                let cell = Self.cut(cell, to: width)
                return cell + String(repeating: " ", count: width - cell.count)
            }.joined(separator: "  ")
            return Self.cut(String(line.reversed().drop { $0 == " " }.reversed()), to: width - 2)
        }
    }

    private static func cut(_ text: String, to length: Int) -> String {
        text.count <= length ? text : text.prefix(max(0, length - 1)) + "…"
    }
}

extension Order {
    var isDrawn: Bool {
        switch self {
        case .weighted, .top3, .roundRobin, .leastBusy: true
        case .listed, .best, .fastest, .cheapest: false
        }
    }
}

extension Explanation.Attempt {
    var isFallback: Bool {
        switch part {
        case .fallback, .requestedFallback, .defaultFallback, .fallbackOn: true
        case .named, .try: false
        }
    }

    fileprivate var timeoutSummary: String {
        let list = [
            ("queue", timeouts.queue), ("connect", timeouts.connect), ("write", timeouts.write), ("first_byte", timeouts.firstByte),
            ("first_content", timeouts.firstContent), ("idle", timeouts.idle),
        ].map { "\($0) \($1.rounded)" }.joined(separator: ", ")
        return "\(list); non-streamed: response \(timeouts.response.rounded)"
    }

    fileprivate var retrySummary: String {
        guard retry.retries > 0 else { return "none" }
        let isConstant = retry.delay(ofRetry: 2) == retry.delay(ofRetry: 1)
        let delays = "after \(retry.delay.rounded)" + (isConstant ? "" : ", doubled each time up to \(retry.maxDelay.rounded)")
        return "\(retry.retries) per model, \(delays), ± \((retry.jitter * 100).short) %"
    }
}

extension Explanation.State {
    /// Empty if the model is ready.
    fileprivate var description: String {
        switch self {
        case .ready: ""
        case .probe: "half-open, this attempt is the probe"
        case .probing: "half-open, another attempt is the probe"
        case .open(let remaining): "open for \(remaining.rounded)"
        case .coolingDown(let remaining): "in cooldown for \(remaining.rounded)"
        case .limited(let remaining): "at its limit for \(remaining.rounded)"
        case .full: "no free slot"
        case .down: "down"
        }
    }
}

extension Explanation.StickyNote {
    /// For example `session: demo/a served the conversation last, so it goes first`.
    fileprivate var label: String {
        guard let identity else { return "the request has nothing that identifies its conversation" }
        guard let model else { return "\(identity): no model has served the conversation yet" }
        return "\(identity): \(model.label) served the conversation last"
            + (isPinned ? ", so it goes first" : ", but can't serve this request now")
    }
}

extension Explanation.Key {
    fileprivate var label: String {
        switch self {
        case .named(let name): name
        case .notGiven: "none given: every model is allowed"
        case .noneDefined: "none defined: every model is allowed"
        }
    }
}

extension Explanation.Request {
    /// For example `auto: needs image, tools; about 12 prompt tokens, at most 500 completion tokens; type fast`.
    fileprivate var summary: String {
        guard operation == .chat else {
            return "\(operation.rawValue), \(name): \(([promptTokens] + overrides.explained).joined(separator: "; "))"
        }
        let supports = needs.supports.map(\.rawValue).sorted() + (needs.needsAnyMedium ? ["a medium"] : [])
        var parts = [supports.isEmpty ? "text only" : "needs \(supports.joined(separator: ", "))"]
        parts.append(promptTokens + (needs.maxTokens.map { ", at most \($0) completion tokens" } ?? ""))
        parts += overrides.explained
        return "\(name): \(parts.joined(separator: "; "))"
    }

    private var name: String { models.isEmpty ? "auto (no model is named)" : models.joined(separator: ", ") }

    private var promptTokens: String { "about \(needs.promptTokens) prompt tokens" }
}

extension Hedge {
    /// For example `after 3s without content, the next model is called too, if it costs at most $0.01`.
    fileprivate var explained: String {
        let delay =
            switch delay {
            case .after(let duration): "after \(duration.rounded)"
            case .p95: "after the first model's 95th percentile"
            }
        return "\(delay) without content, the next model is called too\(maxCost.map { ", if it costs at most $\($0.money)" } ?? "")"
    }
}
