import Glibc

/// The benchmark: starts everything, goes round the servers for each case, and takes everything down again.
struct Run {
    private let options: Options
    private let launcher: Launcher
    private var servers: [Server] = []
    private var measurements = Measurements()

    /// Returns whether all answers were right; being slow isn't an error.
    static func perform(_ options: Options) throws -> Bool {
        Interrupts.hold()
        let workspace = try Workspace()
        defer { if options.keep { say("kept \(workspace.path)") } else { workspace.remove() } }
        // Before any server runs beside it.
        let plans = options.sections.contains(.plan) ? try PlanCost.measureAll() : []
        var run = Run(options: options, launcher: try Launcher(options, workspace))
        defer { run.servers.reversed().forEach { $0.child.end() } }
        try run.measure()

        let verdicts = Verdict.all(run.measurements)
        try Files.write(Report(run.measurements, options, verdicts).markdown, to: STDOUT_FILENO)
        if !plans.isEmpty { try Files.write(PlanCost.table(plans), to: STDOUT_FILENO) }
        if let path = options.json { try Files.write(JSONLines.text(run.measurements, verdicts), to: path) }
        return run.measurements.failures == 0
    }

    private init(options: Options, launcher: Launcher) {
        self.options = options
        self.launcher = launcher
    }

    private mutating func measure() throws {
        for kind in launcher.kinds { servers.append(try launcher.start(kind, folder: kind.rawValue)) }
        if options.sections.contains(.start) { try measureStartup() }
        if options.sections.contains(.memory) { try measureIdle() }
        for round in 0..<options.rounds {
            for load in loads {
                Run.say("round \(round + 1) of \(options.rounds): \(load.name)")
                // Nobody always follows the same neighbour, except that the direct run comes first: latencies are told relative to it.
                let proxies = servers.dropFirst()
                let turn = proxies.isEmpty ? 0 : round % proxies.count
                for server in servers.prefix(1) + proxies.dropFirst(turn) + proxies.prefix(turn) { try measure(load, server) }
            }
        }
    }

    /// In a round's order; a case under reload stands right behind the same case without, which it is compared with.
    private var loads: [Case] {
        let reload = options.sections.contains(.reload)
        var loads: [Case] = []
        if options.sections.contains(.buffered) { loads += [.buffered(connections: 1), .buffered(connections: 16)] }
        if options.sections.contains(.buffered) || reload { loads.append(.buffered(connections: 64)) }
        if reload { loads.append(.reloading(.buffered(connections: 64))) }
        if options.sections.contains(.buffered) { loads.append(.buffered(connections: 256)) }
        if options.sections.contains(.streams) { loads.append(.streams(50)) }
        if options.sections.contains(.streams) || reload { loads.append(.streams(500)) }
        if reload { loads.append(.reloading(.streams(500))) }
        return loads
    }

    private mutating func measure(_ load: Case, _ server: Server) throws {
        var attendant = Attendant(meter: server.meter)
        var inner = load
        if case .reloading(let bare) = load {
            if server.kind == .direct { return }
            attendant = Attendant(meter: server.meter, signalled: server.child)
            inner = bare
        }
        switch inner {
        case .buffered(let connections):
            let result = try BufferedLoad(server.endpoint, connections: connections).run(.seconds(options.seconds), &attendant)
            measurements.add(Run.values(result, attendant), load, server.kind)
        case .streams(let count):
            let result = try StreamLoad(server.endpoint, streams: count, chunks: options.chunks).run(&attendant)
            measurements.add(values(result, attendant, of: server.kind, relativeTo: inner), load, server.kind)
        case .reloading, .startup, .idle:
            return
        }
        server.emptyLog()
        guard server.child.isRunning else { throw Failure("'\(server.kind.rawValue)' ended during \(load.name)") }
        pause(.milliseconds(100))
    }

    private static func values(_ result: BufferedLoad.Result, _ attendant: Attendant) -> Measurements.Values {
        shared(result.requests, result.duration, result.latency, attendant).merging([
            .errors: Double(result.errors), .reconnects: Double(result.reconnects),
        ]) { $1 }
    }

    private func values(
        _ result: StreamLoad.Result, _ attendant: Attendant, of kind: Server.Kind, relativeTo plain: Case
    ) -> Measurements.Values {
        var values = Run.shared(result.chunks, result.duration, result.latency, attendant)
        values[.firstByteP50] = Double(result.firstByte.quantile(0.5)) / 1e3
        values[.firstByteP99] = Double(result.firstByte.quantile(0.99)) / 1e3
        values[.errors] = Double(result.broken)
        if kind != .direct, let direct = measurements.rounds[plain]?[.direct]?.last, let p50 = direct[.p50],
            let firstByte = direct[.firstByteP50]
        {
            values[.addedP50] = (values[.p50] ?? 0) - p50
            values[.addedP99] = (values[.p99] ?? 0) - p50
            values[.addedFirstByteP50] = (values[.firstByteP50] ?? 0) - firstByte
        }
        return values
    }

    private static func shared(_ count: Int, _ duration: Nanoseconds, _ latency: Histogram, _ attendant: Attendant) -> Measurements.Values {
        let each = Double(max(1, count)) * 1e3
        return [
            .rate: Double(count) / (Double(duration) / 1e9),
            .p50: Double(latency.quantile(0.5)) / 1e3, .p99: Double(latency.quantile(0.99)) / 1e3,
            .cpu: Double(attendant.cpu) / each, .generatorCPU: Double(attendant.ownCPU) / each,
            .resident: Double(attendant.memory.residentKiB) / 1024, .proportional: Double(attendant.memory.proportionalKiB) / 1024,
        ]
    }

    private mutating func measureStartup() throws {
        Run.say("start-up, \(options.starts) times each")
        for _ in 0..<options.starts {
            for kind in launcher.kinds where kind != .direct {
                let server = try launcher.start(kind, folder: "\(kind.rawValue)-start")
                server.child.end()
                measurements.add([.startup: Double(server.startup) / 1e3], .startup, kind)
            }
        }
    }

    private mutating func measureIdle() throws {
        Run.say("idle memory")
        for _ in 0..<3 {
            for kind in launcher.kinds where kind != .direct {
                let server =
                    try kind == .router
                    ? launcher.startIdleRouter(folder: "router-idle") : launcher.start(kind, folder: "\(kind.rawValue)-idle")
                defer { server.child.end() }
                pause(.milliseconds(1000))
                let memory = server.meter.memory()
                measurements.add(
                    [.resident: Double(memory.residentKiB) / 1024, .proportional: Double(memory.proportionalKiB) / 1024], .idle, kind)
            }
        }
    }

    private static func say(_ line: String) {
        try? Files.write("\(line)\n", to: STDERR_FILENO)
    }
}
