import NIOCore

/// When a request's body was last read, and how much of it, for the two rules that end a slow one.
struct BodyClock {
    private let start: NIODeadline
    private var lastRead: NIODeadline
    private var bytes = 0

    init(now: NIODeadline) {
        start = now
        lastRead = now
    }

    mutating func read(_ count: Int, now: NIODeadline) {
        bytes &+= count
        lastRead = now
    }

    /// The earlier of `bodyTimeout` after the last read, and of the moment at which the average sinks below `minBodyRate`:
    /// with 1024 bytes a second after 10 s, 5 KiB may take 15 s.
    func deadline(_ times: ServerTimes) -> NIODeadline {
        let idle = lastRead.advanced(by: times.body)
        guard times.minBodyRate > 0 else { return idle }
        let earned = TimeAmount.microseconds(Int64(bytes.multipliedReportingOverflow(by: 1_000_000).partialValue / times.minBodyRate))
        return min(idle, start.advanced(by: times.minBodyRateGrace).advanced(by: earned))
    }
}

/// When a client last took bytes, or had none to take.
struct StallClock {
    private(set) var lastProgress: NIODeadline
    private var taken = 0

    init(now: NIODeadline) { lastProgress = now }

    /// `taken`: bytes that the client took so far; `waiting`: those that the socket doesn't take.
    mutating func check(taken: Int, waiting: Int, now: NIODeadline) {
        if waiting == 0 || taken != self.taken { lastProgress = now }
        self.taken = taken
    }
}
