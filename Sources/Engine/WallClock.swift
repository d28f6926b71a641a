import Glibc

/// The wall clock. It can jump, so it is used for timestamps only, never to measure a duration.
enum WallClock {
    /// Seconds since 1970, UTC.
    static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
