import Glibc

/// Nanoseconds. All clocks, latencies and CPU times of the benchmark are in this unit.
typealias Nanoseconds = UInt64

extension Nanoseconds {
    static func milliseconds(_ count: Int) -> Nanoseconds { UInt64(count) * 1_000_000 }
    static func seconds(_ count: Double) -> Nanoseconds { UInt64(count * 1e9) }

    var timespec: Glibc.timespec {
        Glibc.timespec(tv_sec: Int(self / 1_000_000_000), tv_nsec: Int(self % 1_000_000_000))
    }
}

/// CLOCK_MONOTONIC: the same in every process of one machine, so a mock's stamp and a generator's reading can be compared.
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
