package import NIOCore

/// Whether a model can be called now; if not, the reason and, if known, the time until which it lasts.
package enum Availability: Sendable, Equatable {
    case ready
    /// The breaker is half-open: the next attempt is the probe.
    case probe
    /// The breaker is half-open, and another attempt is already the probe.
    case probing
    /// The breaker is open.
    case open(until: NIODeadline)
    /// The model is in cooldown after a 429.
    case coolingDown(until: NIODeadline)
    /// The model or its provider has used up its requests or tokens for this minute.
    case limited(until: NIODeadline)
    /// All concurrency slots of the model or of its provider are taken.
    case full

    package var isAvailable: Bool {
        switch self {
        case .ready, .probe: true
        case .probing, .open, .coolingDown, .limited, .full: false
        }
    }

    /// The state in one word, as `explain` and the access log show it.
    package var label: String {
        switch self {
        case .ready: "ready"
        case .probe: "half-open"
        case .probing: "probing"
        case .open: "open"
        case .coolingDown: "cooldown"
        case .limited: "limited"
        case .full: "full"
        }
    }

    /// Why the model can't be called, for the client's error; nil if it can.
    func reason(now: NIODeadline) -> String? {
        let rest = until.map { " for another \(max(1, Int(($0 - now).milliseconds / 1000 + 0.999))) s" } ?? ""
        switch self {
        case .ready, .probe: return nil
        case .probing: return "its breaker's probe is running"
        case .open: return "breaker open\(rest)"
        case .coolingDown: return "in cooldown\(rest)"
        case .limited: return "at its limit of requests or tokens\(rest)"
        case .full: return "at its limit of concurrent requests"
        }
    }

    /// The availability of a model whose account has this availability.
    func and(_ model: Availability) -> Availability {
        switch (self, model) {
        case (.ready, _): model
        case (.open(let account), .open(let model)): .open(until: max(account, model))
        case (.probe, _) where !model.isAvailable: model
        default: self
        }
    }

    /// The earliest time at which another attempt makes sense. nil if that is now, or if it depends on the end of
    /// another attempt.
    package var until: NIODeadline? {
        switch self {
        case .open(let until), .coolingDown(let until), .limited(let until): until
        case .ready, .probe, .probing, .full: nil
        }
    }
}
