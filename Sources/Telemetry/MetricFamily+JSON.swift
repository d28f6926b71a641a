package import Codecs
import ProviderKit

extension [MetricFamily] {
    /// Writes the member `"metrics": […]`.
    package func write(to writer: inout JSONWriter) {
        writer.key("metrics")
        writer.array { list in
            for family in self {
                list.object {
                    $0.member("name", family.name)
                    $0.member("type", family.kind.rawValue)
                    $0.member("help", family.help)
                    $0.key("samples")
                    $0.array { list in for sample in family.samples { sample.write(to: &list) } }
                }
            }
        }
    }
}

extension MetricFamily.Sample {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object {
            $0.key("labels")
            $0.object { labels in
                for (name, value) in self.labels {
                    labels.key(escaping: name)
                    labels.string(value)
                }
            }
            switch value {
            case .integer(let value):
                $0.member("value", value)
            case .real(let value):
                $0.key("value")
                $0.double(value)
            case .histogram(let histogram):
                write(histogram, to: &$0)
            }
        }
    }

    /// The counts are of what is up to each bound, as Prometheus has them.
    private func write(_ histogram: Histogram, to writer: inout JSONWriter) {
        writer.member("count", histogram.count)
        writer.key("sum")
        writer.double(Double(histogram.sum) / histogram.buckets.scale)
        writer.key("buckets")
        writer.array { list in
            var count = 0
            for (bound, bucket) in zip(histogram.buckets.bounds, histogram.counts) {
                count &+= bucket
                list.object {
                    $0.key("le")
                    $0.double(Double(bound) / histogram.buckets.scale)
                    $0.member("count", count)
                }
            }
        }
    }
}
