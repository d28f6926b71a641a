import Codecs
import Glibc
package import NIOCore

/// The wall clock. It can jump, so it is used for timestamps only, never to measure a duration.
package enum WallClock {
    /// Seconds since 1970, UTC; negative before.
    static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Whole seconds since 1970, UTC; negative before.
    package static var second: Int { Int(seconds.rounded(.down)) }

    /// What the clock will show at `deadline` if it doesn't jump: whole seconds since 1970, rounded up.
    package static func second(at deadline: NIODeadline) -> Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let wait = (deadline - .now()).nanoseconds
        return time.tv_sec.addingSaturated(Int((Double(wait) / 1e9).rounded(.up)))
    }
}
