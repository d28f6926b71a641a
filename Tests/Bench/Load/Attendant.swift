import Glibc

/// What goes on beside a load: the CPU bill, one memory sample, signals at a fixed pace, and a look for Ctrl-C.
struct Attendant {
    /// How long a load may wait for events before it has to call `tick`.
    static let patience = Nanoseconds.milliseconds(10)
    static let signalEvery = Nanoseconds.milliseconds(100)

    let meter: ProcessMeter?
    /// Gets SIGHUP ten times a second, from `begin` to `end`.
    let signalled: Child?
    private(set) var memory = ProcessMeter.Memory()
    private(set) var cpu: Nanoseconds = 0
    private(set) var ownCPU: Nanoseconds = 0
    private var nextSignal = Nanoseconds.max
    private var nextCheck: Nanoseconds = 0
    private var sampleAt = Nanoseconds.max

    init(meter: ProcessMeter? = nil, signalled: Child? = nil) {
        self.meter = meter
        self.signalled = signalled
    }

    mutating func begin(at now: Nanoseconds, sampleAfter: Nanoseconds) {
        sampleAt = now + sampleAfter
        if signalled != nil { nextSignal = now }
        cpu = meter?.cpu() ?? 0
        ownCPU = Attendant.ownClock()
    }

    @inline(__always)
    mutating func tick(_ now: Nanoseconds) throws {
        if now >= nextCheck { try act(now) }
    }

    /// Workers that a reload replaced get a moment to end: while they come and go, /proc lists them incompletely.
    mutating func end() {
        ownCPU = Attendant.ownClock() - ownCPU
        if signalled != nil { pause(.milliseconds(300)) }
        let now = meter?.cpu() ?? 0
        cpu = now > cpu ? now - cpu : 0
    }

    private mutating func act(_ now: Nanoseconds) throws {
        nextCheck = now + Attendant.patience
        try Interrupts.check()
        if now >= nextSignal {
            signalled?.signal(SIGHUP)
            nextSignal += Attendant.signalEvery
        }
        if now >= sampleAt {
            sampleAt = .max
            memory = meter?.memory() ?? memory
        }
    }

    private static func ownClock() -> Nanoseconds {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
