import ProviderKit
import RoutingPolicy

/// An explanation for a person: what comes first is what was asked for most. No line is longer than `width`.
package struct ExplanationTable {
    /// Of a terminal that shows two files side by side.
    static let width = 120
    private static let maxNamed = 6
    private static let maxRules = 12

    private let explanation: Explanation
    private let policyName: String
    private var lines: [String] = []

    /// - Parameter policyName: the file's.
    package init(_ explanation: Explanation, policyName: String) {
        self.explanation = explanation
        self.policyName = policyName
        addHead()
        switch explanation.outcome {
        case .planned(let course):
            addAttempts(course)
            addLeftOut("left out")
            addWaits(course)
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
            addWrapped("answers", "\(chosen.model.label)\(chosen.isFallback ? ", a fallback" : "")")
        } else if case .planned = explanation.outcome {
            addWrapped("answers", "nobody: every attempt goes to something that is down")
        }
        addWrapped("request", explanation.request.words)
        let state = explanation.request.clientState.words
        addWrapped("key", explanation.request.client.words + (state.isEmpty ? "" : ", \(state)"))
        addWrapped("policy", "\(policyName), digest \(explanation.config)")
        guard case .planned(let course) = explanation.outcome, let seed = course.seed else { return }
        let orders = Set((course.attempts + course.chains).map(\.reason.order)).filter(\.isDrawn).map(\.rawValue).sorted()
        addWrapped("draw", "\(orders.joined(separator: ", ")): one of the possible orders, by seed \(seed)")
    }

    // MARK: Attempts

    private mutating func addAttempts(_ course: Explanation.Course) {
        var rows = [["#", "model", "from", "why", "state"]]
        for (index, attempt) in course.attempts.enumerated() { rows.append(row(attempt, "\(index + 1)")) }
        for attempt in course.chains { rows.append(row(attempt, "-")) }
        lines.append("")
        lines += Self.aligned(rows, atMost: [3, 40, 28, 52, 40]).map { "  \($0)" }
        lines.append("  then \(course.status): \(course.ending.words)")
    }

    private func row(_ attempt: Explanation.Attempt, _ number: String) -> [String] {
        let wait = attempt.wait > .zero ? "after \(attempt.wait.words)" : ""
        let why = attempt.isRetry ? "the same model again" : attempt.reason.words
        return [
            number, attempt.model.label, attempt.part.words, [why, wait].filter { !$0.isEmpty }.joined(separator: ", "),
            attempt.state.words,
        ]
    }

    // MARK: Left out

    private mutating func addLeftOut(_ title: String) {
        guard !explanation.leftOut.isEmpty else { return }
        var rules: [String] = []
        var models: [String: [String]] = [:]
        for left in explanation.leftOut {
            if models[left.rule] == nil { rules.append(left.rule) }
            models[left.rule, default: []].append(left.model.label)
        }
        lines += ["", title]
        let labels = rules.prefix(Self.maxRules).map { "  \(Self.cut($0, to: 76))" }
        let labelWidth = min(labels.map(\.count).max() ?? 0, 64) + 2
        for (rule, label) in zip(rules, labels) {
            let names = models[rule] ?? []
            let more = names.count > Self.maxNamed ? ", and \(names.count - Self.maxNamed) more" : ""
            addWrapped(label, names.prefix(Self.maxNamed).joined(separator: ", ") + more, labelWidth: labelWidth)
        }
        if rules.count > Self.maxRules { lines.append("  and by \(rules.count - Self.maxRules) more rules; --json names all") }
    }

    // MARK: Waits

    private mutating func addWaits(_ course: Explanation.Course) {
        lines += ["", "waits"]
        addWait("in all", "\(course.total.words) for at most \(course.maxAttempts) attempts; of 'try' at most \(course.maxModels) models")
        addWaits("attempt", of: course.attempts, \.deadlineWords)
        addWaits("retries", of: course.attempts, \.retryWords)
        if let hedge = course.hedge { addWait("hedge", hedge.explained) }
        if course.resumes { addWait("resume", "a broken stream goes on at the next model that can continue it") }
    }

    /// One line for all attempts, or one for each group of them that has the same.
    private mutating func addWaits(_ name: String, of attempts: [Explanation.Attempt], _ words: (Explanation.Attempt) -> String) {
        var groups: [(words: String, numbers: [Int])] = []
        for (index, attempt) in attempts.enumerated() where !attempt.isRetry {
            let words = words(attempt)
            if let known = groups.firstIndex(where: { $0.words == words }) {
                groups[known].numbers.append(index + 1)
            } else {
                groups.append((words, [index + 1]))
            }
        }
        for group in groups { addWait(groups.count == 1 ? name : "\(name) \(Self.runs(group.numbers))", group.words) }
    }

    /// `1, 3-5`.
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

    private mutating func addWait(_ name: String, _ words: String) {
        addWrapped("  \(name)", words, labelWidth: 16)
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
            if !isFirst, line.count + 1 + word.count > Self.width {
                lines.append(line)
                line = String(repeating: " ", count: labelWidth)
                isFirst = true
            }
            if !isFirst { line += " " }
            line += Self.cut(String(word), to: Self.width - labelWidth)
            isFirst = false
        }
        lines.append(line)
    }

    private static func aligned(_ rows: [[String]], atMost limits: [Int]) -> [String] {
        let cells = rows.map { row in zip(row, limits).map(cut) }
        let widths = limits.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in
            let line = zip(row, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }.joined(
                separator: "  ")
            return cut(String(line.reversed().drop { $0 == " " }.reversed()), to: width - 2)
        }
    }

    private static func cut(_ text: String, to length: Int) -> String {
        text.count <= length ? text : text.prefix(length - 1) + "…"
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
        case .fallback, .requestedFallback, .fallbackOn: true
        case .named, .try: false
        }
    }

    fileprivate var deadlineWords: String {
        let deadlines = [
            ("queue", timeouts.queue), ("connect", timeouts.connect), ("write", timeouts.write), ("first_byte", timeouts.firstByte),
            ("first_content", timeouts.firstContent), ("idle", timeouts.idle),
        ].map { "\($0) \($1.words)" }.joined(separator: ", ")
        return "\(deadlines); not streamed: response \(timeouts.response.words)"
    }

    fileprivate var retryWords: String {
        guard retry.retries > 0 else { return "none" }
        return
            "\(retry.retries) of each model, after \(retry.delay.words), doubled each time up to \(retry.maxDelay.words), ± \((retry.jitter * 100).short) %"
    }
}

extension Explanation.State {
    /// Empty for what is as it should be.
    fileprivate var words: String {
        switch self {
        case .ready: ""
        case .probe: "half-open: it is the probe"
        case .probing: "half-open, being probed"
        case .open(let rest): "open for \(rest.words)"
        case .coolingDown(let rest): "coolingDown for \(rest.words)"
        case .limited(let rest): "at its limit for \(rest.words)"
        case .full: "no free slot"
        case .down: "down"
        }
    }
}

extension Explanation.Client {
    package var words: String {
        switch self {
        case .key(let name): name
        case .anyone: "none given: everything may be reached"
        case .open: "the policy has none: everything may be reached"
        }
    }
}

extension Explanation.Request {
    /// `auto: needs image, tools; about 12 prompt tokens, at most 500 of response; tags fast`.
    package var words: String {
        var parts = [
            needs.supports.isEmpty ? "needs nothing special" : "needs \(needs.supports.map(\.rawValue).sorted().joined(separator: ", "))"
        ]
        parts.append("about \(needs.promptTokens) prompt tokens" + (needs.maxTokens.map { ", at most \($0) of response" } ?? ""))
        parts += fields.explained
        return "\(models.isEmpty ? "auto (no model is named)" : models.joined(separator: ", ")): \(parts.joined(separator: "; "))"
    }
}

extension RoutingOverrides {
    /// Those that are given, each as a request names it.
    var explained: [String] {
        var words: [String] = []
        if let tags { words.append("tags \"\(tags.texts.joined(separator: ", "))\"") }
        if let type { words.append("type \(type)") }
        if let minContext { words.append("min_context_size \(minContext)") }
        if let minOutput { words.append("min_max_output_tokens \(minOutput)") }
        words += supports.map { "supports_\($0.rawValue)" }.sorted()
        if prefersFast == true { words.append("prefer_fast") }
        if let minSuccessRate { words.append("min_success_rate \(minSuccessRate.short)") }
        if let selectionMode { words.append("selection_mode \(selectionMode.rawValue)") }
        if let maxModelSwitches { words.append("max_model_switches \(maxModelSwitches)") }
        if let retries { words.append("max_same_model_retries \(retries)") }
        if let retryDelay { words.append("retry_delay \(retryDelay.words)") }
        if let timeout { words.append("timeout_secs \(timeout.words)") }
        if let fallbackModel { words.append("fallback_model \(fallbackProvider.map { "\($0)/" } ?? "")\(fallbackModel)") }
        return words
    }
}

extension Hedge {
    /// `after 3s without content the next is asked too, for at most $0.01`.
    fileprivate var explained: String {
        let delay =
            switch delay {
            case .after(let duration): "after \(duration.words)"
            case .p95: "after the 95th percentile of the first model's times"
            }
        return "\(delay) without content the next is asked too\(maxCost.map { ", for at most $\($0.money)" } ?? "")"
    }
}
