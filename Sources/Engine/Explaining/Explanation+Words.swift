import ProviderKit
import RoutingPolicy

/// The words that the table and the JSON share.
extension Explanation.Part {
    package var words: String {
        switch self {
        case .named: "named"
        case .try: "try"
        case .fallback: "fallback"
        case .requestedFallback: "fallback_model"
        case .fallbackOn(let failure): "fallback_on.\(failure.rawValue)"
        }
    }
}

extension Explanation.State {
    package var word: String {
        switch self {
        case .ready: "ready"
        case .probe: "half-open"
        case .probing: "probing"
        case .open: "open"
        case .coolingDown: "coolingDown"
        case .limited: "limited"
        case .full: "full"
        case .down: "down"
        }
    }

    /// How long it lasts, where that is known.
    package var rest: Duration? {
        switch self {
        case .open(let rest), .coolingDown(let rest), .limited(let rest): rest
        case .ready, .probe, .probing, .full, .down: nil
        }
    }
}

extension ExplanationWalk.Ending {
    /// What the client gets who comes to it; nil: a response.
    var words: String {
        switch self {
        case .answered: "it answers"
        case .stopped(let failure): "\(failure.rawValue) ends the call"
        case .exhausted: "no candidate is left"
        case .maxAttempts: "max_attempts is reached"
        case .unavailable: "whoever is left can't be had in time"
        }
    }
}

extension Explanation {
    /// Who answers, if nothing fails that isn't down; nil: nobody.
    package var chosen: Attempt? {
        guard case .planned(let course) = outcome else { return nil }
        return course.attempts.first { $0.state != .down }
    }
}

extension Duration {
    /// As routes.yaml writes it, rounded up: to whole seconds from 10 s on, below to milliseconds.
    package var words: String {
        let milliseconds = Int(milliseconds.rounded(.up))
        return (milliseconds < 10_000 ? Duration.milliseconds(milliseconds) : .seconds((milliseconds + 999) / 1000)).asWritten
    }
}

extension Double {
    /// Three digits that count: `15.2`, `0.98`, `5`, `1250`.
    package var short: String {
        guard isFinite else { return "\(self)" }
        let places = magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3
        return decimal(places)
    }

    /// US dollars, to a hundredth of a cent.
    package var money: String { decimal(magnitude < 0.01 ? 6 : 4) }

    private func decimal(_ places: Int) -> String {
        let scale = (0..<places).reduce(1.0) { scale, _ in scale * 10 }
        guard let scaled = Int(exactly: (magnitude * scale).rounded()) else { return "\(self)" }
        let whole = scaled / Int(scale)
        var fraction = String(scaled % Int(scale))
        fraction = String(repeating: "0", count: max(0, places - fraction.utf8.count)) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        return (self < 0 && scaled != 0 ? "-" : "") + (fraction.isEmpty ? "\(whole)" : "\(whole).\(fraction)")
    }
}
