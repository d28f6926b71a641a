import Testing

@testable import Telemetry

struct MetricsTextTests {
    private static let families: [MetricFamily] = {
        var durations = Histogram(.queue)
        durations.observe(microseconds: 1_500_000)
        return [
            family("a_total", .counter, [([("x", "q\"\\\n")], .integer(1)), ([], .real(0.5))]),
            family("b", .gauge, []), family("c_seconds", .histogram, [([("x", "y")], .histogram(durations))]),
        ]
    }()

    @Test
    func `Prometheus' text has every sample, and escapes label values`() {
        let lines = Self.lines(.prometheus)
        #expect(
            lines.prefix(8) == [
                "# HELP a_total Help.", "# TYPE a_total counter", #"a_total{x="q\"\\\n"} 1"#, "a_total 0.5", "# HELP b Help.",
                "# TYPE b gauge", "# HELP c_seconds Help.", "# TYPE c_seconds histogram",
            ])
        #expect(
            lines.suffix(9)
                == [
                    #"c_seconds_bucket{x="y",le="0.1"} 0"#, #"c_seconds_bucket{x="y",le="0.5"} 0"#, #"c_seconds_bucket{x="y",le="1.0"} 0"#,
                    #"c_seconds_bucket{x="y",le="5.0"} 1"#, #"c_seconds_bucket{x="y",le="10.0"} 1"#,
                    #"c_seconds_bucket{x="y",le="30.0"} 1"#, #"c_seconds_bucket{x="y",le="60.0"} 1"#,
                    #"c_seconds_bucket{x="y",le="+Inf"} 1"#, #"c_seconds_sum{x="y"} 1.5"#, #"c_seconds_count{x="y"} 1"#,
                ].suffix(9))
    }

    @Test
    func `OpenMetrics names a counter without its ending, and marks the end`() {
        let lines = Self.lines(.openMetrics)
        #expect(lines.prefix(4) == ["# HELP a Help.", "# TYPE a counter", #"a_total{x="q\"\\\n"} 1"#, "a_total 0.5"])
        #expect(lines.last == "# EOF")
    }

    private static func lines(_ format: MetricsText.Format) -> [String] {
        String(decoding: MetricsText(families, format).bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static func family(
        _ name: String, _ kind: MetricFamily.Kind, _ samples: [([(String, String)], MetricFamily.Value)]
    ) -> MetricFamily {
        var family = MetricFamily(name: name, kind: kind, help: "Help.")
        family.samples = samples.map { MetricFamily.Sample(labels: $0.map { ($0, $1) }, value: $1) }
        return family
    }
}
