package import NIOCore

/// Whether a model may be asked now; if not, why, and until when where that is known.
package enum Availability: Sendable, Equatable {
    case ready
    /// Its breaker is half-open: the next attempt is the probe.
    case probe
    /// Its breaker is half-open, and another attempt is the probe.
    case probing
    /// Its breaker is open.
    case open(until: NIODeadline)
    /// The upstream asked to be left alone.
    case coolingDown(until: NIODeadline)
    /// Its own or its provider's requests or tokens of the minute are used up.
    case limited(until: NIODeadline)
    /// All of its own or its provider's slots are taken.
    case full

    package var mayBeTried: Bool {
        switch self {
        case .ready, .probe: true
        case .probing, .open, .coolingDown, .limited, .full: false
        }
    }

    /// When it is worth to ask again; nil where that hangs on another attempt's end, or is now.
    package var until: NIODeadline? {
        switch self {
        case .open(let until), .coolingDown(let until), .limited(let until): until
        case .ready, .probe, .probing, .full: nil
        }
    }
}
