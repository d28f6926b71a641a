package import Codecs
import HTTPWire
import ProviderKit

extension JSONWriter {
    /// Writes an amount in dollars as a number.
    package mutating func member(_ name: StaticString, dollars: Double) {
        key(name)
        raw(Array(dollars.dollarsAsWritten.utf8))
    }

    package mutating func milliseconds(_ name: StaticString, _ duration: Duration) {
        key(name)
        thousandths(duration.wholeMicroseconds)
    }
}

extension Double {
    /// An amount in dollars, rounded to a billionth: the price of one token at 0.001 dollars per million tokens.
    package var dollarsAsWritten: String {
        let billionths = Int(clamping: Int64(exactly: (magnitude * 1e9).rounded()) ?? .max), whole = billionths / 1_000_000_000
        var fraction = String(billionths % 1_000_000_000)
        fraction = String(repeating: "0", count: 9 - fraction.utf8.count) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        let text = fraction.isEmpty ? "\(whole)" : "\(whole).\(fraction)"
        return self < 0 && billionths > 0 ? "-\(text)" : text
    }
}
