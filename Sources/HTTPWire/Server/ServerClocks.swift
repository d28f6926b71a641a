import NIOCore

/// The progress of a request's body, for the three rules that end a slow one.
struct BodyClock {
    private let start: NIODeadline
    private var lastRead: NIODeadline
    private var bytes = 0
    /// An upload may take any time at a sufficient rate.
    private let isUpload: Bool

    init(now: NIODeadline, isUpload: Bool = false) {
        self.isUpload = isUpload
        start = now
        lastRead = now
    }

    mutating func read(_ count: Int, now: NIODeadline) {
        bytes &+= count
        lastRead = now
    }

    /// When the body counts as too slow: `bodyTimeout` after the last read, `bodyTotal` after its begin if it is no
    /// upload, or when its average rate falls below `minBodyRate`, whichever is first. With 1024 bytes a second and a
    /// grace of 10 s, 5 KiB may take 15 s.
    func deadline(_ times: ServerTimes) -> NIODeadline {
        let idle = lastRead.advanced(by: times.body), total = isUpload ? idle : min(idle, start.advanced(by: times.bodyTotal))
        guard times.minBodyRate > 0 else { return total }
        let earned = TimeAmount.microseconds(Int64(bytes.multipliedReportingOverflow(by: 1_000_000).partialValue / times.minBodyRate))
        return min(total, start.advanced(by: times.minBodyRateGrace).advanced(by: earned))
    }
}

/// The time of the last progress of a client: when it last took bytes, or had none to take.
struct StallClock {
    private(set) var lastProgress: NIODeadline
    private var taken = 0

    init(now: NIODeadline) { lastProgress = now }

    /// - Parameters:
    ///   - taken: the bytes that the client has acknowledged so far.
    ///   - waiting: the bytes that the socket doesn't accept yet.
    mutating func check(taken: Int, waiting: Int, now: NIODeadline) {
        if waiting == 0 || taken != self.taken { lastProgress = now }
        self.taken = taken
    }
}
