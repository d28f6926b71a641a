package import Codecs
import ProviderKit

/// What `llm-router top` shows, from three responses of the admin API: how the last hour went, the state of the models,
/// and the last requests.
package struct TopScreen {
    private let state: JSONTree
    private let history: JSONTree
    private let requests: JSONTree
    private let now: Timestamp
    /// Why the screen is not up to date; nil if it is.
    package var complaint: String?

    /// - Parameters:
    ///   - state: of `/admin/state`.
    ///   - history: of `/admin/history`.
    ///   - requests: of `/admin/requests`.
    package init(state: JSONTree, history: JSONTree, requests: JSONTree, now: Timestamp) {
        self.state = state
        self.history = history
        self.requests = requests
        self.now = now
    }

    /// - Parameters:
    ///   - columns: no line is longer.
    ///   - rows: the most lines; nil: as many as there are. Half of what the figures leave is for the models.
    package func text(columns: Int, rows: Int?) -> String {
        var lines = head + figures
        let left = rows.map { max(4, $0 - lines.count - 4) }, requests = requestRows
        let maxModels = left.map { max($0 / 2, $0 - requests.count) } ?? .max
        lines += [""] + Self.table(modelRows, numbers: [2, 3, 4, 5], atMost: maxModels, columns: columns)
        let maxRequests = left.map { max(1, $0 - min(maxModels, modelRows.count)) } ?? .max
        lines += [""] + Self.table(requests, numbers: [1, 5, 6], atMost: maxRequests, columns: columns)
        return lines.prefix(rows ?? .max).map { Self.cut(Self.trimmed($0), to: columns) }.joined(separator: "\n")
    }

    // MARK: Figures

    private var hour: JSONTree? { history["hour"] }
    private var minutes: [JSONTree] { history["minutes"]?.elements ?? [] }

    private var head: [String] {
        let age = state["started_at"]?.integer.map { "up \(Self.span(now.seconds - $0))" }
        let policy = state["config"]?.string.map { "policy \($0)\(state["generation"]?.integer.map { ", number \($0)" } ?? "")" }
        let calls = state["active_calls"]?.integer.map { "\($0) running" }
        let parts = ["llm-router", age, policy, calls, "\(now.text.dropFirst(11).prefix(8)) UTC"].compactMap { $0 }
        return [parts.joined(separator: "   ")] + (complaint.map { ["! \(Self.printable($0))"] } ?? [])
    }

    private var figures: [String] {
        let requests = minutes.map { $0["requests"]?.integer ?? 0 }
        let failed = minutes.map { ($0["failed"]?.integer ?? 0) + ($0["refused"]?.integer ?? 0) }
        let sum = failed.reduce(0, +), all = hour?["requests"]?.integer ?? 0
        let tokens = hour?["tokens"]
        func count(_ tree: JSONTree?) -> String { Self.count(tree?.integer ?? 0) }
        let served = all == 0 ? "no requests" : "\(Self.count(all)) requests, \(Self.percent(1 - Double(sum) / Double(all))) served"
        return [
            "",
            "requests/min  \(Self.bars(requests))  \(requests.dropLast().last ?? 0)",
            "failed/min    \(Self.bars(failed, max: requests.max()))  \(failed.dropLast().last ?? 0)",
            "last hour     \(served), \(count(hour?["fallbacks"])) by a fallback",
            "first token   \(Self.quantiles(hour?["first_token_ms"]))    total   \(Self.quantiles(hour?["total_ms"]))",
            "tokens        \(count(tokens?["input"])) in, \(count(tokens?["cached"])) of them cached, \(count(tokens?["output"])) out"
                + "    cost   $\(Self.money(hour?["cost_usd"]?.double ?? 0))",
        ]
    }

    private static func quantiles(_ times: JSONTree?) -> String {
        ["p50", "p95", "p99"].map { name in
            "\(name) \(milliseconds(times?.members?.last { $0.name == name }?.value.double))"
        }.joined(separator: "  ")
    }

    // MARK: Tables

    /// Those that can't be called come first.
    private var modelRows: [[String]] {
        let models = state["models"]?.elements ?? []
        let isAway = { (model: JSONTree) in !["ready", "off"].contains(model["state"]?.string) }
        let isOff = { (model: JSONTree) in model["state"]?.string == "off" }
        let sorted = models.filter(isAway) + models.filter { !isAway($0) && !isOff($0) } + models.filter(isOff)
        let rows = sorted.map { model in
            let statistics = model["statistics"], hasSamples = statistics?["samples"]?.integer ?? 0 > 0
            let opened = model["breaker"]?["opened"]
            let isClosed = model["breaker"]?["state"]?.string == "closed"
            return [
                "\(Self.text(model["provider"]))/\(Self.text(model["model"]))", Self.text(model["state"]),
                hasSamples ? Self.percent(statistics?["success_rate"]?.double ?? 0) : "-",
                Self.milliseconds(statistics?["mean_first_token_ms"]?.double),
                Self.milliseconds(statistics?["mean_ms"]?.double), Self.text(model["in_flight"]),
                isClosed
                    ? ""
                    : [opened?["class"], opened?["status"], opened?["message"]].compactMap { $0 }.map { Self.text($0) }.joined(
                        separator: " "),
            ]
        }
        return [["MODEL", "STATE", "SUCCESS", "FIRST TOKEN", "TOTAL", "RUNNING", ""]] + rows
    }

    private var requestRows: [[String]] {
        let rows = (requests["requests"]?.elements ?? []).map { ledger in
            let model = ledger["model"] ?? ledger["requested_model"]
            return [
                Self.text(ledger["time"]).count >= 19 ? String(Self.text(ledger["time"]).dropFirst(11).prefix(8)) : "",
                Self.text(ledger["status"]),
                [ledger["provider"], model].compactMap { $0 }.map { Self.text($0) }.joined(separator: "/"), Self.text(ledger["route"]),
                Self.text(ledger["key"]), Self.milliseconds(ledger["first_content_ms"]?.double),
                Self.milliseconds(ledger["duration_ms"]?.double),
                Self.text(ledger["error"] ?? (ledger["fallback"]?.bool == true ? .string(Array("fallback".utf8)) : nil)),
            ]
        }
        return [["ENDED", "STATUS", "MODEL", "ROUTE", "KEY", "FIRST TOKEN", "TOTAL", ""]] + rows
    }

    /// The rows in columns; the first row is the head.
    ///
    /// - Parameters:
    ///   - numbers: the columns that are aligned to the right.
    ///   - limit: the most rows, without the head.
    private static func table(_ rows: [[String]], numbers: Set<Int>, atMost limit: Int, columns: Int) -> [String] {
        let widest = min(44, max(16, columns * 2 / 5))
        let shown = rows.prefix(limit == .max ? .max : limit + 1).map { $0.map { cut($0, to: widest) } }
        let lines = TextTable.lines(shown, numbers: numbers)
        return rows.count > shown.count ? lines.dropLast() + ["and \(rows.count - shown.count + 1) more"] : lines
    }

    // MARK: Texts

    /// One block for each number, whose height is its part of the greatest.
    private static func bars(_ numbers: [Int], max: Int? = nil) -> String {
        let blocks = Array("▁▂▃▄▅▆▇█"), top = Swift.max(max ?? numbers.max() ?? 0, 1)
        return String(numbers.map { number in number <= 0 ? " " : blocks[min(blocks.count - 1, number * (blocks.count - 1) / top)] })
    }

    /// A string or a number, without control characters: a name may come from a client.
    private static func text(_ value: JSONTree?) -> String {
        guard let value else { return "" }
        return printable(value.string ?? value.scalar.map { String(decoding: $0, as: UTF8.self) } ?? "")
    }

    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { [.control, .format].contains($0.properties.generalCategory) ? "?" : $0 }))
    }

    private static func trimmed(_ text: String) -> String { String(text.reversed().drop { $0 == " " }.reversed()) }

    private static func cut(_ text: String, to length: Int) -> String {
        text.count <= length ? text : text.prefix(Swift.max(0, length - 1)) + "…"
    }

    private static func count(_ number: Int) -> String {
        switch number {
        case ..<100_000: "\(number)"
        case ..<10_000_000: "\(number / 1000)k"
        default: "\(number / 1_000_000)M"
        }
    }

    /// With one decimal place, rounded down: 100 % only if nothing failed.
    private static func percent(_ part: Double) -> String {
        let tenths = Int(Swift.min(Swift.max(part, 0), 1) * 1000 + 0.000_001)
        return tenths % 10 == 0 ? "\(tenths / 10) %" : "\(tenths / 10).\(tenths % 10) %"
    }

    private static func milliseconds(_ number: Double?) -> String {
        guard let number, number >= 0, number < 1e12 else { return "-" }
        let tenths = Int((number * 10).rounded())
        guard number >= 10 || tenths == 0 else { return "\(tenths / 10).\(tenths % 10) ms" }
        guard number >= 1000 else { return "\(Int(number.rounded())) ms" }
        let hundredths = Int((number / 10).rounded())
        return number < 100_000 ? "\(hundredths / 100).\(twoDigits(hundredths % 100)) s" : span(Int(number / 1000))
    }

    private static func money(_ dollars: Double) -> String {
        guard dollars >= 0, dollars < 1e12 else { return "-" }
        let hundredths = Int((dollars * 100).rounded())
        return "\(hundredths / 100).\(twoDigits(hundredths % 100))"
    }

    private static func span(_ seconds: Int) -> String {
        switch seconds {
        case ..<60: "\(Swift.max(0, seconds)) s"
        case ..<3600: "\(seconds / 60) min"
        case ..<86_400: "\(seconds / 3600) h \(seconds / 60 % 60) min"
        default: "\(seconds / 86_400) d \(seconds / 3600 % 24) h"
        }
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
