import ConfigTree
import ProviderKit
import RoutingPolicy

// The texts that the table and the JSON have in common.

extension Explanation.Part {
    package var label: String {
        switch self {
        case .named: "named"
        case .try: "try"
        case .fallback: "fallback"
        case .requestedFallback: "fallback_model"
        case .defaultFallback: "defaults.fallback"
        case .fallbackOn(let failure): "fallback_on.\(failure.rawValue)"
        }
    }
}

extension Explanation.State {
    package var label: String {
        switch self {
        case .ready: "ready"
        case .probe: "half-open"
        case .probing: "probing"
        case .open: "open"
        case .coolingDown: "cooldown"
        case .limited: "limited"
        case .full: "full"
        case .down: "down"
        }
    }

    /// How long the state will last; nil if that is not known.
    package var remaining: Duration? {
        switch self {
        case .open(let remaining), .coolingDown(let remaining), .limited(let remaining): remaining
        case .ready, .probe, .probing, .full, .down: nil
        }
    }
}

extension Explanation.Attempt {
    var why: String { isRetry ? "retry" : reason.text }
}

extension CallEnding {
    /// Why the call ends.
    var label: String {
        switch self {
        case .succeeded: "it succeeds"
        case .stopped(let failure): "\(failure.rawValue) ends the call"
        case .exhausted: "no candidate is left"
        case .maxAttempts: "max_attempts is reached"
        case .unavailable: "no remaining candidate becomes available in time"
        case .overdue: "the total timeout runs out"
        }
    }
}

extension Explanation.Keys {
    /// Empty if every key is ready.
    var description: String {
        let cooling = cooling.map { "key \($0.position) \($0.reason.rawValue) for \($0.remaining.rounded)" }
        return cooling.isEmpty ? "" : "\(count - cooling.count) of \(count) keys ready: \(cooling.joined(separator: ", "))"
    }
}

extension Explanation {
    /// The attempt that serves the request if only attempts at models that are down fail; nil if all of them are down.
    package var chosen: Attempt? {
        guard case .planned(let call) = outcome else { return nil }
        return call.attempts.first { $0.state != .down }
    }
}

extension Duration {
    /// The duration as routes.yaml writes it, rounded up: to milliseconds below 10 s, and to seconds from there on.
    package var rounded: String {
        let milliseconds = Int(milliseconds.rounded(.up))
        return (milliseconds < 10_000 ? Duration.milliseconds(milliseconds) : .seconds((milliseconds + 999) / 1000)).asWritten
    }
}

extension Double {
    /// The number with three significant digits: `15.2`, `0.98`, `5`, `1250`.
    package var short: String {
        guard isFinite else { return "\(self)" }
        let places = magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3
        return decimal(places)
    }

    /// The amount in US dollars: with nine decimal places, without zeros at the end.
    package var small: String { decimal(9) }

    /// The amount in US dollars: with four decimal places, or six below one cent.
    package var money: String { decimal(magnitude < 0.01 ? 6 : 4) }

    private func decimal(_ places: Int) -> String {
        let scale = (0..<places).reduce(1.0) { scale, _ in scale * 10 }
        guard let scaled = Int(exactly: (magnitude * scale).rounded()) else { return "\(self)" }
        let integer = scaled / Int(scale)
        var fraction = String(scaled % Int(scale))
        fraction = String(repeating: "0", count: max(0, places - fraction.utf8.count)) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        return (self < 0 && scaled != 0 ? "-" : "") + (fraction.isEmpty ? "\(integer)" : "\(integer).\(fraction)")
    }
}
