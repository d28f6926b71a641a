import Glibc

/// The instant at which a wait gives up.
package struct Deadline: Sendable {
    private let instant: ContinuousClock.Instant

    package init(_ wait: Duration) {
        instant = .now + wait
    }

    package var isOver: Bool { .now >= instant }

    /// Never negative.
    package var remaining: Duration { max(.zero, instant - .now) }

    /// The remaining time for poll(2), rounded up so that a loop around poll does not spin in the last millisecond.
    var pollMilliseconds: Int32 {
        Int32(clamping: (remaining.nanoseconds + 999_999) / 1_000_000)
    }

    /// The deadline for a condition variable on CLOCK_MONOTONIC.
    var monotonicTime: timespec {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let nanoseconds = time.tv_nsec + Int(remaining.nanoseconds)
        return timespec(tv_sec: time.tv_sec + nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
    }
}

extension Duration {
    package var nanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}
