import Glibc

/// A time or a duration in nanoseconds, the unit of all clocks, latencies and CPU times of the benchmark.
typealias Nanoseconds = UInt64

extension Nanoseconds {
    static func milliseconds(_ count: Int) -> Nanoseconds { UInt64(count) * 1_000_000 }
    static func seconds(_ count: Double) -> Nanoseconds { UInt64(count * 1e9) }

    var timespec: Glibc.timespec {
        Glibc.timespec(tv_sec: Int(self / 1_000_000_000), tv_nsec: Int(self % 1_000_000_000))
    }
}

/// The time of CLOCK_MONOTONIC. It is the same in all processes of a machine, so the generator can compare it with the
/// mock's timestamps.
@inline(__always)
func monotonicNow() -> Nanoseconds {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}

func pause(_ duration: Nanoseconds) {
    var time = duration.timespec
    nanosleep(&time, nil)
}
