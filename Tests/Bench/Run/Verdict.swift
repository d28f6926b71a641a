/// Whether the router meets one of its targets, judged by the median over the rounds.
struct Verdict {
    let target: String
    let bound: Double
    /// Nil if the run did not measure it.
    let value: Double?
    private let isMet: Bool

    var outcome: String { value == nil ? "not measured" : isMet ? "ok" : "missed" }

    static func all(_ measurements: Measurements) -> [Verdict] {
        let buffered = Case.buffered(connections: 64)
        let streams = Case.streams(500), messages = Case.messages(500)

        /// A load with a wrong response meets no target, no matter how fast it was.
        func verdict(_ target: String, _ load: Case, _ series: Series, atLeast: Double? = nil, atMost: Double? = nil) -> Verdict {
            let value = median(series)
            let isMet = value.map { $0 >= atLeast ?? $0 && $0 <= atMost ?? $0 } ?? false
            return Verdict(
                target: target, bound: atLeast ?? atMost ?? 0, value: value, isMet: isMet && measurements.failures(load, .router) == 0)
        }
        func relative(_ metric: Metric, _ load: Case) -> Series { measurements.ratio(metric, load, .router, to: .nginx) }
        func absolute(_ metric: Metric, _ load: Case) -> Series { measurements.series(metric, load, .router) }
        func kept(_ load: Case) -> Series { measurements.ratio(.rate, .reloading(load), .router, to: .router, in: load) }

        let translated = Case.translations(500).map { load in
            verdict(
                "CPU per chunk of \(load.name), relative to streams that pass through, at most", load,
                measurements.ratio(.cpu, load, .router, to: .router, in: streams), atMost: 3)
        }
        let bounds: [(RouterVariant, RouterVariant, Double)] = [
            (.file, .memory, 0.98), (.redis, .memory, 0.85), (.observed, .unobserved, 0.97),
        ]
        let variants = bounds.map { variant, other, bound in
            let load = Case.variant(variant, connections: 64)
            return verdict(
                "requests/s at 64 connections, '\(variant.rawValue)' relative to '\(other.rawValue)', at least", load,
                measurements.ratio(.rate, load, .router, to: .router, in: .variant(other, connections: 64)), atLeast: bound)
        }
        return translated + variants + [
            verdict("requests/s at 64 connections, relative to nginx, at least", buffered, relative(.rate, buffered), atLeast: 0.80),
            verdict("CPU per request at 64 connections, relative to nginx, at most", buffered, relative(.cpu, buffered), atMost: 1.6),
            verdict("CPU per chunk at 500 streams, relative to nginx, at most", streams, relative(.cpu, streams), atMost: 1.3),
            verdict("added p50 per chunk at 500 streams, relative to nginx, at most", streams, relative(.addedP50, streams), atMost: 1.2),
            verdict(
                "CPU per chunk of Messages at 500 streams, relative to OpenAI's, at most", messages,
                measurements.ratio(.cpu, messages, .router, to: .router, in: streams), atMost: 1.1),
            verdict(
                "requests/s at 64 connections through a loaded plugin, relative to a built-in one, at least", .loaded(buffered),
                measurements.ratio(.rate, .loaded(buffered), .router, to: .router, in: buffered), atLeast: 0.95),
            verdict(
                "CPU per chunk at 500 streams through a loaded plugin, relative to a built-in one, at most", .loaded(streams),
                measurements.ratio(.cpu, .loaded(streams), .router, to: .router, in: streams), atMost: 1.05),
            verdict("RSS in MiB, idle, 20 HTTPS providers, at most", .idle, absolute(.resident, .idle), atMost: 30),
            verdict("RSS in MiB during 500 streams, at most", streams, absolute(.resident, streams), atMost: 64),
            verdict("start-up in ms, at most", .startup, Series(absolute(.startup, .startup).values.map { $0 / 1e3 }), atMost: 100),
            verdict("requests/s kept under 10 reloads/s, at least", .reloading(buffered), kept(buffered), atLeast: 0.95),
            verdict("chunks/s kept under 10 reloads/s, at least", .reloading(streams), kept(streams), atLeast: 0.95),
            verdict(
                "errors under 10 reloads/s, non-streamed responses", .reloading(buffered), errors(measurements, .reloading(buffered)),
                atMost: 0),
            verdict("broken streams under 10 reloads/s", .reloading(streams), errors(measurements, .reloading(streams)), atMost: 0),
        ]
    }

    /// The errors of all rounds together. A median would hide a single one.
    private static func errors(_ measurements: Measurements, _ load: Case) -> Series {
        Series(measurements.rounds[load]?[.router] == nil ? [] : [measurements.failures(load, .router)])
    }

    private static func median(_ series: Series) -> Double? {
        series.isEmpty ? nil : series.median
    }
}
