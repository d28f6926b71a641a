/// The raw figures as JSON: a line for each round, case and server, then a line for each target.
enum JSONLines {
    static func text(_ measurements: Measurements, _ verdicts: [Verdict]) -> String {
        let rounds = measurements.rounds.sorted { $0.key.name < $1.key.name }.flatMap { load, servers in
            Server.Kind.allCases.flatMap { kind in
                (servers[kind] ?? []).enumerated().map { round, values in line(load, kind, round + 1, values) }
            }
        }
        return (rounds + verdicts.map(line)).map { $0 + "\n" }.joined()
    }

    private static func line(_ load: Case, _ kind: Server.Kind, _ round: Int, _ values: Measurements.Values) -> String {
        let figures = Metric.allCases.compactMap { metric in values[metric].map { ",\"\(metric.rawValue)\":\($0)" } }
        return "{\"case\":\"\(load.name)\",\"server\":\"\(kind.rawValue)\",\"round\":\(round)\(figures.joined())}"
    }

    private static func line(_ verdict: Verdict) -> String {
        "{\"target\":\"\(verdict.target)\",\"bound\":\(verdict.bound),"
            + "\"value\":\(verdict.value.map { "\($0)" } ?? "null"),\"outcome\":\"\(verdict.outcome)\"}"
    }
}
