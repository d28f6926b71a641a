import Glibc

/// The benchmark: starts the servers, measures each case with each server, and stops the servers.
struct Run {
    private let options: Options
    private let launcher: Launcher
    private var servers: [Server] = []
    /// Routers with other policies.
    private var variants: [RouterVariant: Server] = [:]
    private var redis: Child?
    private var measurements = Measurements()

    /// Returns whether all responses were correct. A slow server is not an error.
    static func perform(_ options: Options) throws -> Bool {
        Interrupts.block()
        let workspace = try Workspace()
        defer { if options.keep { log("kept \(workspace.path)") } else { workspace.remove() } }
        // Planning is measured before any server runs.
        let plans = options.sections.contains(.plan) ? try PlanCost.measureAll() : []
        let observation = options.sections.contains(.plan) ? ObservationCost.measure() : nil
        var run = Run(options: options, launcher: try Launcher(options, workspace))
        defer {
            (run.servers.reversed() + run.variants.values).forEach { $0.child.end() }
            run.redis?.end()
        }
        try run.measure()

        let verdicts = Verdict.all(run.measurements)
        try Files.write(Report(run.measurements, options, verdicts).markdown, to: STDOUT_FILENO)
        if !plans.isEmpty { try Files.write(PlanCost.table(plans), to: STDOUT_FILENO) }
        if let observation { try Files.write(observation.line, to: STDOUT_FILENO) }
        if let path = options.json { try Files.write(JSONLines.text(run.measurements, verdicts), to: path) }
        return run.measurements.failures == 0
    }

    private init(options: Options, launcher: Launcher) {
        self.options = options
        self.launcher = launcher
    }

    private mutating func measure() throws {
        for kind in launcher.kinds { servers.append(try launcher.start(kind, folder: kind.rawValue)) }
        if options.sections.contains(.state), launcher.kinds.contains(.router) {
            let (redis, port) = try launcher.startRedis()
            self.redis = redis
            for variant in RouterVariant.states { variants[variant] = try launcher.startRouter(variant, redisPort: port) }
        }
        if options.sections.contains(.telemetry), launcher.kinds.contains(.router) {
            for variant in RouterVariant.telemetry { variants[variant] = try launcher.startRouter(variant) }
        }
        if options.sections.contains(.start) { try measureStartup() }
        if options.sections.contains(.memory) { try measureIdle() }
        for round in 0..<options.rounds {
            for load in loads {
                Run.log("round \(round + 1) of \(options.rounds): \(load.name)")
                // The direct run comes first, because latencies are relative to it. The order of the proxies rotates,
                // so that a proxy is not always measured after the same one.
                let proxies = servers.dropFirst()
                let first = proxies.isEmpty ? 0 : round % proxies.count
                for server in servers.prefix(1) + proxies.dropFirst(first) + proxies.prefix(first) { try measure(load, server) }
            }
        }
    }

    /// The cases in the order of a round. A reloading case follows directly after the same case without reloads,
    /// because the two are compared.
    private var loads: [Case] {
        let reload = options.sections.contains(.reload)
        var loads: [Case] = []
        if options.sections.contains(.buffered) { loads += [.buffered(connections: 1), .buffered(connections: 16)] }
        if options.sections.contains(.buffered) || reload { loads.append(.buffered(connections: 64)) }
        if options.sections.contains(.buffered), launcher.plugin != nil { loads.append(.loaded(.buffered(connections: 64))) }
        if reload { loads.append(.reloading(.buffered(connections: 64))) }
        if options.sections.contains(.buffered) { loads += [.buffered(connections: 256), .embeddings(connections: 64)] }
        if options.sections.contains(.state) { loads += RouterVariant.states.map { .variant($0, connections: 64) } }
        if options.sections.contains(.telemetry) { loads += RouterVariant.telemetry.map { .variant($0, connections: 64) } }
        if options.sections.contains(.streams) { loads.append(.streams(50)) }
        if options.sections.contains(.streams) || reload { loads.append(.streams(500)) }
        if options.sections.contains(.streams), launcher.plugin != nil { loads.append(.loaded(.streams(500))) }
        if options.sections.contains(.streams) { loads += [.messages(500)] + Case.translations(500) }
        if reload { loads.append(.reloading(.streams(500))) }
        return loads
    }

    private mutating func measure(_ load: Case, _ server: Server) throws {
        var monitor = LoadMonitor(meter: server.meter)
        var (inner, endpoint) = (load, server.endpoint)
        switch load {
        case .reloading(let plain):
            if server.kind == .direct { return }
            monitor = LoadMonitor(meter: server.meter, signalled: server.child)
            inner = plain
        case .loaded(let plain):
            guard server.kind == .router else { return }
            endpoint = endpoint.atLoadedPlugin
            inner = plain
        case .variant(let variant, let connections):
            guard server.kind == .router, let other = variants[variant] else { return }
            monitor = LoadMonitor(meter: other.meter)
            endpoint = other.endpoint
            inner = .buffered(connections: connections)
        default: break
        }
        switch inner {
        case .buffered(let connections):
            try measure(load, server, endpoint, endpoint.chatRequest(stream: false), connections, &monitor)
        case .embeddings(let connections): try measure(load, server, endpoint, endpoint.embeddingsRequest(), connections, &monitor)
        case .streams(let count):
            try measure(load, inner, server, StreamLoad(endpoint, streams: count, chunks: options.chunks), &monitor)
        case .messages(let count):
            let streams = try StreamLoad(server.endpoint.at(.anthropic), .anthropic, streams: count, chunks: options.chunks)
            try measure(load, inner, server, streams, &monitor)
        case .translated(let from, let to, let count):
            guard server.kind == .router else { return }  // the others can't
            let streams = try StreamLoad(server.endpoint.at(from), to, streams: count, chunks: options.chunks)
            try measure(load, inner, server, streams, &monitor)
        case .loaded, .reloading, .variant, .startup, .idle:
            return
        }
        variants.values.forEach { $0.emptyLog() }
        server.emptyLog()
        guard server.child.isRunning else { throw Failure("'\(server.kind.rawValue)' exited during \(load.name)") }
        pause(.milliseconds(100))
    }

    private mutating func measure(
        _ load: Case, _ server: Server, _ endpoint: Endpoint, _ request: [UInt8], _ connections: Int, _ monitor: inout LoadMonitor
    ) throws {
        let result = try BufferedLoad(endpoint, request, connections: connections).run(.seconds(options.seconds), &monitor)
        measurements.add(Run.values(result, monitor), load, server.kind)
    }

    private mutating func measure(
        _ load: Case, _ plain: Case, _ server: Server, _ streams: StreamLoad, _ monitor: inout LoadMonitor
    ) throws {
        let result = try streams.run(&monitor)
        measurements.add(values(result, monitor, of: server.kind, relativeTo: plain), load, server.kind)
    }

    private static func values(_ result: BufferedLoad.Result, _ monitor: LoadMonitor) -> Measurements.Values {
        shared(result.requests, result.duration, result.latency, monitor).merging([
            .errors: Double(result.errors), .reconnects: Double(result.reconnects),
        ]) { $1 }
    }

    private func values(
        _ result: StreamLoad.Result, _ monitor: LoadMonitor, of kind: Server.Kind, relativeTo plain: Case
    ) -> Measurements.Values {
        var values = Run.shared(result.chunks, result.duration, result.latency, monitor)
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

    private static func shared(_ count: Int, _ duration: Nanoseconds, _ latency: Histogram, _ monitor: LoadMonitor) -> Measurements.Values {
        let each = Double(max(1, count)) * 1e3
        return [
            .rate: Double(count) / (Double(duration) / 1e9),
            .p50: Double(latency.quantile(0.5)) / 1e3, .p99: Double(latency.quantile(0.99)) / 1e3,
            .cpu: Double(monitor.cpu) / each, .generatorCPU: Double(monitor.ownCPU) / each,
            .resident: Double(monitor.memory.residentKiB) / 1024, .proportional: Double(monitor.memory.proportionalKiB) / 1024,
        ]
    }

    private mutating func measureStartup() throws {
        Run.log("start-up, \(options.starts) times each")
        for _ in 0..<options.starts {
            for kind in launcher.kinds where kind != .direct {
                let server = try launcher.start(kind, folder: "\(kind.rawValue)-start")
                server.child.end()
                measurements.add([.startup: Double(server.startup) / 1e3], .startup, kind)
            }
        }
    }

    private mutating func measureIdle() throws {
        Run.log("idle memory")
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

    private static func log(_ line: String) {
        try? Files.write("\(line)\n", to: STDERR_FILENO)
    }
}
