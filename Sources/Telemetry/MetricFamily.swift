/// A metric, with all its samples.
package struct MetricFamily: Sendable {
    package enum Kind: String, Sendable { case counter, gauge, histogram }

    package enum Value: Sendable {
        case integer(Int)
        case real(Double)
        case histogram(Histogram)
    }

    package struct Sample: Sendable {
        package var labels: [(name: String, value: String)]
        package var value: Value
    }

    /// A counter's ends with `_total`.
    package let name: String
    package let kind: Kind
    /// What it means, in a sentence.
    package let help: String
    package internal(set) var samples: [Sample] = []
}
