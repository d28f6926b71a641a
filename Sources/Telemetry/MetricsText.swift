/// The metrics as text, for Prometheus.
///
/// Source: Prometheus' exposition formats; OpenMetrics 1.0.0.
package struct MetricsText {
    package enum Format: Sendable {
        /// Version 0.0.4 of Prometheus' own format.
        case prometheus
        case openMetrics

        /// The media type, as requests ask for it.
        package var mediaType: String { self == .prometheus ? "text/plain" : "application/openmetrics-text" }

        package var contentType: String { "\(mediaType); version=\(self == .prometheus ? "0.0.4" : "1.0.0"); charset=utf-8" }
    }

    package private(set) var bytes: [UInt8] = []

    package init(_ families: [MetricFamily], _ format: Format) {
        for family in families {
            // OpenMetrics names a counter without the ending that its samples have.
            let isShort = format == .openMetrics && family.kind == .counter
            let name = isShort ? String(family.name.dropLast("_total".count)) : family.name
            bytes += "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.kind.rawValue)\n".utf8
            for sample in family.samples { write(sample, family.name, withExemplars: format == .openMetrics) }
        }
        if format == .openMetrics { bytes += "# EOF\n".utf8 }
    }

    private mutating func write(_ sample: MetricFamily.Sample, _ name: String, withExemplars: Bool) {
        let labels = sample.labels.map { "\($0)=\"\(Self.escaped($1))\"" }
        switch sample.value {
        case .integer(let value): line(name, labels, "\(value)")
        case .real(let value): line(name, labels, "\(value)")
        case .histogram(let histogram):
            var count = 0
            for (index, bucket) in histogram.counts.enumerated() {
                count &+= bucket
                let bounds = histogram.buckets.bounds,
                    bound = index < bounds.count ? "\(Double(bounds[index]) / histogram.buckets.scale)" : "+Inf"
                let exemplar = withExemplars && !histogram.exemplars.isEmpty ? histogram.exemplars[index] : nil
                line("\(name)_bucket", labels + ["le=\"\(bound)\""], "\(count)" + (exemplar.map { " \($0.text)" } ?? ""))
            }
            line("\(name)_sum", labels, "\(Double(histogram.sum) / histogram.buckets.scale)")
            line("\(name)_count", labels, "\(count)")
        }
    }

    private mutating func line(_ name: String, _ labels: [String], _ value: String) {
        bytes += name.utf8
        if !labels.isEmpty { bytes += "{\(labels.joined(separator: ","))}".utf8 }
        bytes += " \(value)\n".utf8
    }

    /// Label values escape the backslash, the quote and the line feed.
    private static func escaped(_ value: String) -> String {
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

extension Histogram.Exemplar {
    /// Source: OpenMetrics 1.0.0, "Exemplars".
    fileprivate var text: String {
        "# {trace_id=\"\(trace.traceText)\"} \(Double(duration) / 1e6) \(Double(time.allMilliseconds) / 1000)"
    }
}
