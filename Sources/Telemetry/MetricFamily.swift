package import Codecs
import ProviderKit

/// A metric, with all its samples.
package struct MetricFamily: Sendable {
    package enum Kind: String, Sendable { case counter, gauge }

    package enum Value: Sendable, Equatable {
        case integer(Int)
        case real(Double)

        var text: String {
            switch self {
            case .integer(let value): "\(value)"
            case .real(let value): "\(value)"
            }
        }
    }

    package struct Sample: Sendable {
        package var labels: [(name: String, value: String)]
        package var value: Value
    }

    package let name: String
    package let kind: Kind
    /// What it means, in a sentence.
    package let help: String
    package var samples: [Sample] = []
}

extension [MetricFamily] {
    /// Prometheus' text format, version 0.0.4.
    package var prometheusText: [UInt8] {
        var text: [UInt8] = []
        for family in self {
            text += "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.kind.rawValue)\n".utf8
            for sample in family.samples {
                text += family.name.utf8
                if !sample.labels.isEmpty {
                    text += "{\(sample.labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ","))}".utf8
                }
                text += " \(sample.value.text)\n".utf8
            }
        }
        return text
    }

    /// Label values escape the backslash, the quote and the line feed. Source: Prometheus' exposition formats.
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
            $0.key("value")
            switch value {
            case .integer(let value): $0.integer(value)
            case .real(let value): $0.double(value)
            }
        }
    }
}
