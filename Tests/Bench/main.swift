import Glibc

/// Runs one load against any server and prints the result as a line of JSON. Returns whether all responses were
/// correct.
func runLoad(_ options: Options) throws -> Bool {
    Interrupts.block()
    let endpoint = Endpoint(port: options.port, key: options.key, model: options.model ?? "mock-\(options.chunks)")
    var monitor = LoadMonitor()
    if options.command == .buffered {
        let request = endpoint.chatRequest(stream: false)
        let result = try BufferedLoad(endpoint, request, connections: options.count).run(.seconds(options.seconds), &monitor)
        let rate = Double(result.requests) / (Double(result.duration) / 1e9)
        print(
            "{\"requests_per_second\":\(decimal(rate, 0)),\(quantiles(result.latency)),"
                + "\"errors\":\(result.errors),\"reconnects\":\(result.reconnects)}")
        return result.errors == 0
    }
    let result = try StreamLoad(endpoint, streams: options.count, chunks: options.chunks).run(&monitor)
    print(
        "{\"chunks\":\(result.chunks),\(quantiles(result.latency)),"
            + "\"first_byte\":{\(quantiles(result.firstByte))},\"broken\":\(result.broken)}")
    return result.broken == 0
}

func quantiles(_ histogram: Histogram) -> String {
    "\"p50_us\":\(decimal(Double(histogram.quantile(0.5)) / 1e3, 1)),\"p99_us\":\(decimal(Double(histogram.quantile(0.99)) / 1e3, 1))"
}

/// Raises the limit of open files to its maximum: the generator and the mock need thousands of sockets.
func raiseOpenFileLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

do {
    guard let options = try Options(Array(CommandLine.arguments.dropFirst())) else {
        try Files.write(Options.help, to: STDOUT_FILENO)
        exit(0)
    }
    raiseOpenFileLimit()
    do {
        switch options.command {
        case .run: exit(try Run.perform(options) ? 0 : 1)
        case .plan: try Files.write(PlanCost.table(try PlanCost.measureAll()) + ObservationCost.measure().line, to: STDOUT_FILENO)
        case .upstream: try MockUpstream(port: options.port).serve()
        case .buffered, .streams: exit(try runLoad(options) ? 0 : 1)
        }
    } catch {
        try? Files.write(error is Interrupted ? "interrupted\n" : "Bench: \(error)\n", to: STDERR_FILENO)
        exit(1)
    }
} catch {
    try? Files.write("Bench: \(error)\n", to: STDERR_FILENO)
    exit(64)
}
