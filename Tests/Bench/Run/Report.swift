/// The figures as Markdown tables. A cell is the median over the rounds, with the range in parentheses.
struct Report {
    private let measurements: Measurements
    private let options: Options
    private let verdicts: [Verdict]

    init(_ measurements: Measurements, _ options: Options, _ verdicts: [Verdict]) {
        (self.measurements, self.options, self.verdicts) = (measurements, options, verdicts)
    }

    var markdown: String {
        let loads = measurements.rounds.keys.sorted { Report.rank($0) < Report.rank($1) }
        let sections = [
            caption,
            table("Non-streamed responses", "requests/s", loads.filter(Report.isBuffered), bufferedColumns),
            table("Streams of \(options.chunks) chunks", "chunks/s", loads.filter(Report.isStreams), streamColumns),
            table("Start-up and idle memory", nil, loads.filter { $0 == .startup || $0 == .idle }, idleColumns),
            options.router.isEmpty ? "" : targets,
        ]
        return sections.filter { !$0.isEmpty }.joined(separator: "\n") + "\n"
    }

    private typealias Column = (title: String, cell: (Case, Server.Kind) -> String)

    private var caption: String {
        """
        # Benchmark

        Rounds: \(options.rounds). In each round, every case is measured with every server. A cell is the median over the
        rounds (least–most); a ratio is taken within each round.
        direct: from the generator to the mock; its CPU and memory are the mock's\(toolCost).
        nginx: 2 workers, upstream keep-alive 512, HTTP/1.1, proxy_buffering off, access log in a file (buffer=64k), no
        JSON work.\(options.router.isEmpty ? "" : " router: two keys defined, access log in a file.")
        Non-streamed responses, to chat requests or embeddings: closed loop, bodies of 1 KB both ways, \(decimal(options.seconds, 1)) s each.
        Streams: one chunk of about 160 bytes every 20 ms in each; added = minus the median of the direct run. messages:
        Anthropic's format, passed through; A-to-B: clients with the format B, and an upstream with A. loaded: through a
        plugin from a library, instead of the built-in one.
        Memory is sampled in the middle of the load: RSS, and PSS, in which pages that nginx's processes share count once.
        Reloading: SIGHUP ten times a second, also to nginx's master.
        memory, file, redis: with a limit and a soft budget of the key, counted there; exact: Redis without leases. Redis
        runs on the same machine.
        unobserved, observed: without an access log and traces; with the log in a file and 1 % of the traces exported.

        """
    }

    private var toolCost: String {
        let load = Case.buffered(connections: 64)
        guard !measurements.series(.cpu, load, .direct).isEmpty else { return "" }
        let generator = decimal(measurements.series(.generatorCPU, load, .direct).median, 1)
        return " (at 64 connections the generator takes \(generator) µs per request)"
    }

    private var bufferedColumns: [Column] {
        [
            column("p50 µs", .p50, 0), column("p99 µs", .p99, 0),
            column("CPU µs/request", .cpu, 1), ratioColumn("CPU × nginx", .cpu),
            column("RSS MiB", .resident, 1), column("PSS MiB", .proportional, 1),
            totalColumn("errors", .errors), totalColumn("reconnects", .reconnects),
        ]
    }

    private var streamColumns: [Column] {
        [
            column("chunk p50 µs", .p50, 0), column("p99 µs", .p99, 0),
            column("added p50 µs", .addedP50, 0), ratioColumn("added × nginx", .addedP50), column("added p99 µs", .addedP99, 0),
            column("first byte p50 µs", .firstByteP50, 0), column("p99 µs", .firstByteP99, 0),
            column("added p50 µs", .addedFirstByteP50, 0),
            column("CPU µs/chunk", .cpu, 1), ratioColumn("CPU × nginx", .cpu),
            column("RSS MiB", .resident, 1), column("PSS MiB", .proportional, 1), totalColumn("broken", .errors),
        ]
    }

    private var idleColumns: [Column] {
        [column("first response µs", .startup, 0), column("RSS MiB", .resident, 1), column("PSS MiB", .proportional, 1)]
    }

    /// - Parameter rate: the title of the column with the rate; nil if the cases have no rate.
    private func table(_ title: String, _ rate: String?, _ loads: [Case], _ columns: [Column]) -> String {
        guard !loads.isEmpty else { return "" }
        let all = (rate.map { [column($0, .rate, 0), ratioColumn("× nginx", .rate)] } ?? []) + columns
        var lines = [
            "## \(title)", "", "| case | server | " + all.map(\.title).joined(separator: " | ") + " |",
            "|---|---|" + String(repeating: "---|", count: all.count),
        ]
        for load in loads {
            for kind in Server.Kind.allCases where measurements.rounds[load]?[kind] != nil {
                lines.append("| \(load.name) | \(kind.rawValue) | " + all.map { $0.cell(load, kind) }.joined(separator: " | ") + " |")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var targets: String {
        let lines = verdicts.map { verdict in
            "| \(verdict.target) | \(decimal(verdict.bound, 2)) | \(verdict.value.map { decimal($0, 2) } ?? "-") | \(verdict.outcome) |"
        }
        return (["## Targets", "", "| target | bound | measured | |", "|---|---|---|---|"] + lines).joined(separator: "\n")
    }

    private func column(_ title: String, _ metric: Metric, _ digits: Int) -> Column {
        (title, { cell(measurements.series(metric, $0, $1), digits) })
    }

    private func ratioColumn(_ title: String, _ metric: Metric) -> Column {
        (title, { load, kind in kind == .direct ? "-" : cell(measurements.ratio(metric, load, kind, to: .nginx), 2) })
    }

    private func totalColumn(_ title: String, _ metric: Metric) -> Column {
        (title, { decimal(measurements.series(metric, $0, $1).sum, 0) })
    }

    private func cell(_ series: Series, _ digits: Int) -> String {
        guard !series.isEmpty else { return "-" }
        guard series.min != series.max else { return decimal(series.median, digits) }
        return "\(decimal(series.median, digits)) (\(decimal(series.min, digits))–\(decimal(series.max, digits)))"
    }

    private static func isBuffered(_ load: Case) -> Bool {
        switch load {
        case .buffered, .variant, .embeddings, .loaded(.buffered), .reloading(.buffered): true
        case .streams, .messages, .translated, .loaded, .reloading, .startup, .idle: false
        }
    }

    private static func isStreams(_ load: Case) -> Bool {
        switch load {
        case .streams, .messages, .translated, .loaded(.streams), .reloading(.streams): true
        case .buffered, .variant, .embeddings, .loaded, .reloading, .startup, .idle: false
        }
    }

    /// Sorts by size, with reloading cases after all others.
    private static func rank(_ load: Case) -> Int {
        switch load {
        case .buffered(let connections): connections
        case .embeddings(let connections): 10_000 + connections
        case .streams(let count): count
        case .messages(let count): 10_000 + count
        case .translated(let from, let to, let count):
            20_000 + count + 1000 * (StreamFormat.translations.firstIndex { $0.from == from && $0.to == to } ?? 0)
        case .loaded(let inner): 5_000 + rank(inner)
        case .variant(let variant, let connections): 8_000 + connections + (RouterVariant.allCases.firstIndex(of: variant) ?? 0)
        case .reloading(let inner): 100_000 + rank(inner)
        case .startup: 0
        case .idle: 1
        }
    }
}

/// Returns `value` with `digits` digits after the decimal point.
func decimal(_ value: Double, _ digits: Int) -> String {
    let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
    guard value.isFinite, abs(value) * scale < 1e15 else { return "\(value)" }
    let scaled = Int((abs(value) * scale).rounded())
    let sign = value < 0 && scaled != 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(scaled)" }
    let (whole, fraction) = scaled.quotientAndRemainder(dividingBy: Int(scale))
    let padding = String(repeating: "0", count: digits - String(fraction).count)
    return "\(sign)\(whole).\(padding)\(fraction)"
}
