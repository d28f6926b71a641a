import NIOCore

/// The state of a breaker in 64 bits, so that one load reads it. The lowest three bits are the kind. The bits above
/// them are a generation, or a time in nanoseconds of uptime (61 bits last for 73 years).
struct BreakerWord: Sendable, Equatable {
    private enum Kind: UInt64 {
        case clean, failing, coolingDown, open, halfOpen, halfOpenCoolingDown, probing
    }

    let rawValue: UInt64

    init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    private init(_ kind: Kind, _ payload: UInt64 = 0) {
        rawValue = payload << 3 | kind.rawValue
    }

    /// Closed, without a failure since the last success and without a cooldown.
    static func clean(generation: UInt64) -> BreakerWord { BreakerWord(.clean, generation) }
    /// Closed, after fewer failures than it takes to open the breaker.
    static func failing(generation: UInt64) -> BreakerWord { BreakerWord(.failing, generation) }
    /// Closed, and in cooldown after a 429.
    static func coolingDown(until: NIODeadline) -> BreakerWord { BreakerWord(.coolingDown, bounded(until)) }
    static func open(until: NIODeadline) -> BreakerWord { BreakerWord(.open, bounded(until)) }
    static let halfOpen = BreakerWord(.halfOpen)
    static func halfOpenCoolingDown(until: NIODeadline) -> BreakerWord { BreakerWord(.halfOpenCoolingDown, bounded(until)) }
    static let probing = BreakerWord(.probing)

    var isClean: Bool { kind == .clean }

    /// The pass of a closed breaker that is not in cooldown. Admitting such an attempt changes no state.
    var closedPass: Breaker.Pass? {
        switch kind {
        case .clean, .failing: Breaker.Pass(generation: rawValue >> 3)
        case .coolingDown, .open, .halfOpen, .halfOpenCoolingDown, .probing: nil
        }
    }

    func availability(now: NIODeadline) -> Availability {
        let until = NIODeadline.uptimeNanoseconds(rawValue >> 3)
        switch kind {
        case .clean, .failing: return .ready
        case .coolingDown: return now < until ? .coolingDown(until: until) : .ready
        case .open: return now < until ? .open(until: until) : .probe
        case .halfOpen: return .probe
        case .halfOpenCoolingDown: return now < until ? .coolingDown(until: until) : .probe
        case .probing: return .probing
        }
    }

    private var kind: Kind { Kind(rawValue: rawValue & 7) ?? .clean }

    private static func bounded(_ instant: NIODeadline) -> UInt64 { min(instant.uptimeNanoseconds, 1 << 61 - 1) }
}
