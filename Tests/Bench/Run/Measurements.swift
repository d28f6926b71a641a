/// What is done to a server in a round.
enum Case: Hashable {
    case buffered(connections: Int)
    case streams(Int)
    indirect case reloading(Case)
    case startup
    /// Started and left alone; the router with 20 HTTPS providers declared.
    case idle

    var name: String {
        switch self {
        case .buffered(let connections): "buffered-\(connections)"
        case .streams(let count): "streams-\(count)"
        case .reloading(let load): "\(load.name)-reloading"
        case .startup: "startup"
        case .idle: "idle"
        }
    }
}

/// Durations are in microseconds, memory in MiB.
enum Metric: String, CaseIterable {
    /// Requests or chunks per second.
    case rate
    case p50, p99, addedP50, addedP99, firstByteP50, firstByteP99, addedFirstByteP50
    /// Per request or chunk: the server's, and the generator's own.
    case cpu, generatorCPU
    case resident, proportional
    case errors, reconnects
    case startup
}

/// All that was measured, by case, server and metric; one value per round, in the rounds' order.
struct Measurements {
    typealias Values = [Metric: Double]

    private(set) var rounds: [Case: [Server.Kind: [Values]]] = [:]

    mutating func add(_ values: Values, _ load: Case, _ kind: Server.Kind) {
        rounds[load, default: [:]][kind, default: []].append(values)
    }

    func series(_ metric: Metric, _ load: Case, _ kind: Server.Kind) -> Series {
        Series((rounds[load]?[kind] ?? []).compactMap { $0[metric] })
    }

    /// Round by round, so that what slows the whole machine for a while cancels out.
    func ratio(_ metric: Metric, _ load: Case, _ kind: Server.Kind, to other: Server.Kind, in otherLoad: Case? = nil) -> Series {
        let pairs = zip(series(metric, load, kind).values, series(metric, otherLoad ?? load, other).values)
        return Series(pairs.compactMap { $1 > 0 ? $0 / $1 : nil })
    }

    /// Wrong answers, broken streams and lost connections. nginx may close kept-alive connections when it reloads; everybody else is held to losing none.
    func failures(_ load: Case, _ kind: Server.Kind) -> Double {
        series(.errors, load, kind).sum + (kind == .nginx ? 0 : series(.reconnects, load, kind).sum)
    }

    var failures: Double {
        rounds.keys.reduce(0) { sum, load in Server.Kind.allCases.reduce(sum) { $0 + failures(load, $1) } }
    }
}

struct Series {
    let values: [Double]

    init(_ values: [Double]) {
        self.values = values
    }

    var isEmpty: Bool { values.isEmpty }
    var min: Double { values.min() ?? 0 }
    var max: Double { values.max() ?? 0 }
    var sum: Double { values.reduce(0, +) }

    /// The middle value, or the mean of the two middle ones; 0 where there are none.
    var median: Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }
}
