import Codecs
package import Engine
import RoutingPolicy

/// The usage since a time, and what is left of the keys' budgets: as JSON, as CSV, or as a table to read.
package struct UsageSummary: Sendable {
    package enum Format: String, CaseIterable, Sendable {
        case json, csv, table

        package var mediaType: String {
            switch self {
            case .json: "application/json"
            case .csv: "text/csv"
            case .table: "text/plain"
            }
        }
    }

    private let query: UsageQuery
    private let rows: [UsageRow]
    private let budgets: [KeyBudgetView]

    /// - Parameters:
    ///   - rows: the sums by the query's dimensions.
    ///   - budgets: those of the keys; empty if no policy is known.
    package init(_ query: UsageQuery, rows: [UsageRow], budgets: [KeyBudgetView]) {
        (self.query, self.rows, self.budgets) = (query, rows, budgets)
    }

    package func text(_ format: Format) -> [UInt8] {
        switch format {
        case .json: json
        case .csv: Array(csv.utf8)
        case .table: Array(table.utf8)
        }
    }

    private var total: UsageRow.Amount { rows.reduce(into: UsageRow.Amount()) { $0 += $1.amount } }

    // MARK: JSON

    private var json: [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("since", query.since.map { WireDate.rfc3339($0) })
            $0.key("by")
            $0.array { for dimension in query.dimensions { $0.string(dimension.rawValue) } }
            $0.key("usage")
            $0.array { list in
                for row in rows {
                    list.object {
                        for dimension in query.dimensions {
                            $0.key(escaping: dimension.rawValue)
                            $0.string(row.place.text(dimension))
                        }
                        row.amount.write(to: &$0)
                    }
                }
            }
            $0.key("total")
            $0.object { total.write(to: &$0) }
            $0.key("budgets")
            $0.array { for budget in budgets { budget.write(to: &$0) } }
        }
        return writer.bytes
    }

    // MARK: CSV

    /// With a line of names, and without the budgets. Source: RFC 4180; lines end with a line feed alone, which all
    /// programs read.
    private var csv: String {
        let head = query.dimensions.map(\.rawValue) + ["requests", "prompt_tokens", "completion_tokens", "cost_usd", "unpriced"]
        let lines = rows.map { row in
            query.dimensions.map { Self.field(row.place.text($0)) } + row.amount.texts
        }
        return ([head] + lines).map { $0.joined(separator: ",") + "\n" }.joined()
    }

    private static func field(_ text: String) -> String {
        guard text.utf8.contains(where: { [UInt8(ascii: ","), UInt8(ascii: "\""), 0x0A, 0x0D].contains($0) }) else { return text }
        return "\"\(text.replacing("\"", with: "\"\""))\""
    }

    // MARK: Table

    private var table: String {
        let names = query.dimensions.map { $0.rawValue.uppercased() }
        let head = names + ["REQUESTS", "PROMPT", "COMPLETION", "COST $", "UNPRICED"]
        var table = [head] + rows.map { row in query.dimensions.map { Self.printable(row.place.text($0)) } + row.amount.texts }
        if !names.isEmpty { table.append(["total"] + names.dropFirst().map { _ in "" } + total.texts) }
        var lines = TextTable.lines(table, numbers: Set(names.count..<head.count))
        if !budgets.isEmpty {
            let head = ["KEY", "BUDGET", "SPENT", "RESERVED", "LEFT", "BEYOND", "BEGINS ANEW"]
            lines += [""] + TextTable.lines([head] + budgets.flatMap(\.texts), numbers: [2, 3, 4, 5])
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// A name without control characters: it may come from a file.
    private static func printable(_ text: String) -> String {
        let isOdd = { (scalar: Unicode.Scalar) in [.control, .format].contains(scalar.properties.generalCategory) }
        let shown = String(String.UnicodeScalarView(text.unicodeScalars.map { isOdd($0) ? "?" : $0 }))
        return shown.isEmpty ? "-" : shown
    }
}

extension UsageRow.Place {
    fileprivate func text(_ dimension: UsageDimension) -> String {
        switch dimension {
        case .key: key
        case .model: model
        case .provider: provider
        case .hour: WireDate.rfc3339(hour)
        case .day: String(WireDate.rfc3339(hour).prefix("2026-11-29".utf8.count))
        }
    }
}

extension UsageRow.Amount {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("requests", requests)
        writer.member("prompt_tokens", promptTokens)
        writer.member("completion_tokens", completionTokens)
        writer.member("cost_usd", dollars: dollars)
        writer.member("unpriced", unpriced)
    }

    /// In the order of the columns.
    fileprivate var texts: [String] {
        ["\(requests)", "\(promptTokens)", "\(completionTokens)", dollars.dollarsAsWritten, "\(unpriced)"]
    }
}

extension KeyBudgetView {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("key", key)
            $0.member("per", terms.period.rawValue)
            $0.member("hard", terms.isHard)
            if let limit = terms.dollars, let left = dollarsLeft {
                $0.key("usd")
                $0.object {
                    $0.member("limit", dollars: limit)
                    $0.member("spent", dollars: account.spent.dollars)
                    $0.member("reserved", dollars: account.reserved.dollars)
                    $0.member("left", dollars: left)
                }
            }
            if let limit = terms.tokens, let left = tokensLeft {
                $0.key("tokens")
                $0.object {
                    $0.member("limit", limit)
                    $0.member("spent", account.spent.tokens)
                    $0.member("reserved", account.reserved.tokens)
                    $0.member("left", left)
                }
            }
            $0.member("requests_beyond", account.requestsBeyond)
            $0.member("begins_anew", account.periodEnd.map { WireDate.rfc3339($0) })
        }
    }

    /// A row for each bound, in the order of the columns.
    fileprivate var texts: [[String]] {
        func row(_ limit: String, _ spent: String, _ reserved: String, _ left: String) -> [String] {
            let period = terms.period == .total ? "in all" : "per \(terms.period.rawValue)"
            return [
                key, "\(limit) \(period)\(terms.isHard ? "" : ", soft")", spent, reserved, left, "\(account.requestsBeyond)",
                account.periodEnd.map { WireDate.rfc3339($0) } ?? "never",
            ]
        }
        let dollars = terms.dollars.map { limit in
            row(
                "$\(limit.asWritten)", account.spent.dollars.dollarsAsWritten, account.reserved.dollars.dollarsAsWritten,
                (dollarsLeft ?? 0).dollarsAsWritten)
        }
        let tokens = terms.tokens.map { limit in
            row("\(limit) tokens", "\(account.spent.tokens)", "\(account.reserved.tokens)", "\(tokensLeft ?? 0)")
        }
        return [dollars, tokens].compactMap(\.self)
    }
}
