import NIOCore

/// The deadlines of one call, one for each timer.
struct CallDeadlines {
    private var times = InlineArray<8, UInt64>(repeating: .max)

    subscript(timer: UpstreamTimer) -> NIODeadline? {
        get {
            let time = times[timer.slot]
            return time == .max ? nil : .uptimeNanoseconds(time)
        }
        set { times[timer.slot] = newValue?.uptimeNanoseconds ?? .max }
    }

    /// The timer that expires first, with its deadline; nil if none is armed.
    var earliest: (timer: UpstreamTimer, at: NIODeadline)? {
        var slot = 0
        for other in 1..<8 where times[other] < times[slot] { slot = other }
        return times[slot] == .max ? nil : (UpstreamTimer.allCases[slot], .uptimeNanoseconds(times[slot]))
    }

    /// The deadline of `earliest`. Cheaper, because it doesn't look for the timer.
    var earliestTime: NIODeadline? {
        var time = UInt64.max
        for slot in 0..<8 { time = min(time, times[slot]) }
        return time == .max ? nil : .uptimeNanoseconds(time)
    }
}

extension UpstreamTimer {
    fileprivate var slot: Int {
        switch self {
        case .queue: 0
        case .connect: 1
        case .write: 2
        case .firstByte: 3
        case .firstContent: 4
        case .idle: 5
        case .response: 6
        case .total: 7
        }
    }
}
