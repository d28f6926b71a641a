import Glibc

/// The work beside a load: it measures CPU time, samples memory once, sends signals periodically and checks for Ctrl-C.
struct LoadMonitor {
    /// How long a load may wait for events before it must call `tick`.
    static let tickInterval = Nanoseconds.milliseconds(10)
    static let signalInterval = Nanoseconds.milliseconds(100)

    let meter: ProcessMeter?
    /// The process that gets SIGHUP ten times a second, from `begin` to `end`; nil for none.
    let signalled: Child?
    private(set) var memory = ProcessMeter.Memory()
    private(set) var cpu: Nanoseconds = 0
    /// The CPU time of the benchmark itself.
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
        ownCPU = LoadMonitor.ownClock()
    }

    @inline(__always)
    mutating func tick(_ now: Nanoseconds) throws {
        if now >= nextCheck { try act(now) }
    }

    /// Computes the CPU times. After reloads it waits until replaced workers have ended, because /proc lists children
    /// incompletely while they start and end.
    mutating func end() {
        ownCPU = LoadMonitor.ownClock() - ownCPU
        if signalled != nil { pause(.milliseconds(300)) }
        let now = meter?.cpu() ?? 0
        cpu = now > cpu ? now - cpu : 0
    }

    private mutating func act(_ now: Nanoseconds) throws {
        nextCheck = now + LoadMonitor.tickInterval
        try Interrupts.check()
        if now >= nextSignal {
            signalled?.signal(SIGHUP)
            nextSignal += LoadMonitor.signalInterval
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
