/// The options of the command line.
struct Options {
    enum Command: String { case run, upstream, buffered, streams, plan }
    enum Section: String, CaseIterable { case plan, buffered, state, telemetry, streams, memory, start, reload }

    var command = Command.run
    var rounds = 5
    var seconds = 3.0
    var sections = Set(Section.allCases)
    var chunks = 200
    var starts = 10
    var router = ".build/release/llm-router"
    var nginx = "nginx"
    var json: String?
    var keep = false
    var port: UInt16 = 0
    var count = 64
    var key = Workspace.clientKey
    var model: String?

    static let help = """
        usage: Bench [run] [options]      the benchmark: the router and nginx in front of a mock upstream, interleaved
               Bench plan                 the time to plan one request, with 1 to 1,000 models, and to observe a value
               Bench upstream --port N    only the mock upstream; it runs until it is stopped
               Bench load buffered --port N [--count CONNECTIONS] [--seconds S]
               Bench load streams --port N [--count STREAMS] [--chunks N]

        run writes Markdown tables to stdout and its progress to stderr. It exits with 1 if a response is wrong, a stream
        breaks or a server fails, with 64 if the command line is wrong, and otherwise with 0, even if a target is missed.

          --rounds N        rounds over all cases and servers (5)
          --seconds S       length of each measurement of non-streamed responses (3)
          --only LIST       some of plan,buffered,state,telemetry,streams,memory,start,reload (all); buffered:
                            non-streamed responses; state: the same with limits and a budget in memory, in a file
                            and in Redis; telemetry: without and with an access log and traces
          --quick           two short rounds: --rounds 2 --seconds 1 --chunks 50, 3 starts
          --chunks N        chunks per stream, 20 ms apart, at most 9999 (200)
          --router PATH     the router's binary (.build/release/llm-router); "" skips the router
          --nginx PATH      nginx's binary (nginx, from PATH or /usr/sbin)
          --json FILE       also writes the raw figures, one JSON object per line
          --keep            keeps the temporary directory with configurations and logs
          --port N          upstream: the port to listen on, 0 for any free one; load: the port of the server
          --count N         load: connections or streams (64)
          --key KEY         load: the client key (the benchmark's own)
          --model NAME      load: the requested model (mock-CHUNKS)

        The number at the end of the model's name is the number of chunks that the mock sends (mock-200). Timings are
        meaningful only on an otherwise idle machine and in a release build.

        """

    /// Nil if the command line contains `--help`.
    init?(_ arguments: [String]) throws {
        var rest = arguments[...]
        if let first = rest.first, !first.hasPrefix("-") {
            rest = rest.dropFirst()
            let name = first == "load" ? rest.popFirst() ?? "" : first
            guard let command = Command(rawValue: name), (first == "load") == (command == .buffered || command == .streams) else {
                throw Failure(
                    "unknown command '\((first == "load" ? "load " : "") + name)'; "
                        + "expected run, plan, upstream, load buffered or load streams")
            }
            self.command = command
        }
        while let flag = rest.popFirst() {
            switch flag {
            case "--help", "-h": return nil
            case "--keep": keep = true
            case "--quick": (rounds, seconds, chunks, starts) = (2, 1, 50, 3)
            case "--rounds": rounds = try Options.number(flag, &rest, 1...1000)
            case "--seconds": seconds = try Options.seconds(flag, &rest)
            case "--chunks": chunks = try Options.number(flag, &rest, 1...9999)
            case "--count": count = try Options.number(flag, &rest, 1...10000)
            case "--port": port = UInt16(try Options.number(flag, &rest, 0...65535))
            case "--router": router = try Options.text(flag, &rest)
            case "--nginx": nginx = try Options.text(flag, &rest)
            case "--json": json = try Options.text(flag, &rest)
            case "--key": key = try Options.text(flag, &rest)
            case "--model": model = try Options.text(flag, &rest)
            case "--only": sections = try Options.sections(try Options.text(flag, &rest))
            default: throw Failure("unknown option '\(flag)'; see --help")
            }
        }
    }

    private static func text(_ flag: String, _ rest: inout ArraySlice<String>) throws -> String {
        guard let value = rest.popFirst() else { throw Failure("'\(flag)' needs a value") }
        return value
    }

    private static func number(_ flag: String, _ rest: inout ArraySlice<String>, _ range: ClosedRange<Int>) throws -> Int {
        let value = try text(flag, &rest)
        guard let number = Int(value), range.contains(number) else {
            throw Failure("'\(flag)' is '\(value)'; expected a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func seconds(_ flag: String, _ rest: inout ArraySlice<String>) throws -> Double {
        let value = try text(flag, &rest)
        guard let seconds = Double(value), seconds >= 0.1, seconds <= 3600 else {
            throw Failure("'\(flag)' is '\(value)'; expected seconds from 0.1 to 3600")
        }
        return seconds
    }

    private static func sections(_ list: String) throws -> Set<Section> {
        Set(
            try list.split(separator: ",").map { name in
                guard let section = Section(rawValue: String(name)) else {
                    throw Failure("'--only' names '\(name)'; expected some of \(Section.allCases.map(\.rawValue).joined(separator: ", "))")
                }
                return section
            })
    }
}
