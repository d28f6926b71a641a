/// One kind of measurement.
enum Case: Hashable {
    case buffered(connections: Int)
    /// Embeddings; every other load is of chat requests.
    case embeddings(connections: Int)
    case streams(Int)
    /// Streams in Anthropic's format that pass through.
    case messages(Int)
    /// Streams of clients with one format from an upstream with another.
    case translated(from: StreamFormat, to: StreamFormat, Int)
    /// The same through a provider whose plugin is loaded from a library.
    indirect case loaded(Case)
    indirect case reloading(Case)
    /// Chat requests to a router with another policy.
    case variant(RouterVariant, connections: Int)
    case startup
    /// The memory of a server that gets no requests; the router has 20 HTTPS providers.
    case idle

    static func translations(_ count: Int) -> [Case] {
        StreamFormat.translations.map { .translated(from: $0.from, to: $0.to, count) }
    }

    var name: String {
        switch self {
        case .buffered(let connections): "buffered-\(connections)"
        case .embeddings(let connections): "embeddings-\(connections)"
        case .streams(let count): "streams-\(count)"
        case .messages(let count): "messages-\(count)"
        case .translated(let from, let to, let count): "\(from.rawValue)-to-\(to.rawValue)-\(count)"
        case .loaded(let load): "\(load.name)-loaded"
        case .reloading(let load): "\(load.name)-reloading"
        case .variant(let variant, let connections): "buffered-\(connections)-\(variant.rawValue)"
        case .startup: "startup"
        case .idle: "idle"
        }
    }
}

/// What the policy of a router has that is compared with others.
enum RouterVariant: String, CaseIterable {
    /// A limit and a budget of the key, counted in this place; exact: in Redis without leases.
    case memory, file, redis, exact
    /// No access log and no traces, or both: the log in a file, and one trace of a hundred exported.
    case unobserved, observed

    static let states = [memory, file, redis, exact]
    static let telemetry = [unobserved, observed]
}

/// A measured figure. Durations are in microseconds, memory is in MiB.
enum Metric: String, CaseIterable {
    /// Requests or chunks per second.
    case rate
    case p50, p99, addedP50, addedP99, firstByteP50, firstByteP99, addedFirstByteP50
    /// CPU time per request or chunk: of the server, and of the generator.
    case cpu, generatorCPU
    case resident, proportional
    case errors, reconnects
    case startup
}

/// All measured figures, by case, server and metric: one value per round, in the order of the rounds.
struct Measurements {
    typealias Values = [Metric: Double]

    private(set) var rounds: [Case: [Server.Kind: [Values]]] = [:]

    mutating func add(_ values: Values, _ load: Case, _ kind: Server.Kind) {
        rounds[load, default: [:]][kind, default: []].append(values)
    }

    func series(_ metric: Metric, _ load: Case, _ kind: Server.Kind) -> Series {
        Series((rounds[load]?[kind] ?? []).compactMap { $0[metric] })
    }

    /// The ratio within each round, so that a temporary slowdown of the whole machine cancels out.
    func ratio(_ metric: Metric, _ load: Case, _ kind: Server.Kind, to other: Server.Kind, in otherLoad: Case? = nil) -> Series {
        let pairs = zip(series(metric, load, kind).values, series(metric, otherLoad ?? load, other).values)
        return Series(pairs.compactMap { $1 > 0 ? $0 / $1 : nil })
    }

    /// Wrong responses, broken streams and lost connections. nginx may close keep-alive connections when it reloads, so
    /// its lost connections don't count.
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

    /// The middle value, or the mean of the two middle ones; 0 if there are no values.
    var median: Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }
}
