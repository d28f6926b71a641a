import NIOCore

/// A breaker's state in 64 bits, so that it is read in one load: the kind in the lowest three, above them a generation or a time (in nanoseconds of
/// uptime: 61 bits are 73 years).
struct BreakerWord: Sendable, Equatable {
    private enum Kind: UInt64 {
        case clean, strained, coolingDown, open, halfOpen, coolingHalfOpen, probing
    }

    let rawValue: UInt64

    init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    private init(_ kind: Kind, _ payload: UInt64 = 0) {
        rawValue = payload << 3 | kind.rawValue
    }

    /// Closed, and nothing to forget: no failure in a row, no rest.
    static func clean(generation: UInt64) -> BreakerWord { BreakerWord(.clean, generation) }
    /// Closed after failures that are fewer than open it.
    static func strained(generation: UInt64) -> BreakerWord { BreakerWord(.strained, generation) }
    /// Closed, and coolingDown.
    static func coolingDown(until: NIODeadline) -> BreakerWord { BreakerWord(.coolingDown, bounded(until)) }
    static func open(until: NIODeadline) -> BreakerWord { BreakerWord(.open, bounded(until)) }
    static let halfOpen = BreakerWord(.halfOpen)
    static func coolingHalfOpen(until: NIODeadline) -> BreakerWord { BreakerWord(.coolingHalfOpen, bounded(until)) }
    static let probing = BreakerWord(.probing)

    var isClean: Bool { kind == .clean }

    /// What a closed breaker that doesn't rest admits: no state changes by it.
    var freePass: Breaker.Pass? {
        switch kind {
        case .clean, .strained: Breaker.Pass(generation: rawValue >> 3)
        case .coolingDown, .open, .halfOpen, .coolingHalfOpen, .probing: nil
        }
    }

    func availability(now: NIODeadline) -> Availability {
        let until = NIODeadline.uptimeNanoseconds(rawValue >> 3)
        switch kind {
        case .clean, .strained: return .ready
        case .coolingDown: return now < until ? .coolingDown(until: until) : .ready
        case .open: return now < until ? .open(until: until) : .probe
        case .halfOpen: return .probe
        case .coolingHalfOpen: return now < until ? .coolingDown(until: until) : .probe
        case .probing: return .probing
        }
    }

    private var kind: Kind { Kind(rawValue: rawValue & 7) ?? .clean }

    private static func bounded(_ instant: NIODeadline) -> UInt64 { min(instant.uptimeNanoseconds, 1 << 61 - 1) }
}
