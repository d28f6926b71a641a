import Glibc

/// The limit on the process's open files, and the descriptors below it that are kept free. The kernel gives out the
/// lowest free number, so a connection's number tells how many are left. Source: open(2), socket(2).
struct DescriptorLimit: Sendable {
    /// The soft limit; it doesn't change while the process serves.
    let limit: Int

    init() {
        var limits = rlimit()
        let isKnown = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0
        self.init(limit: isKnown ? Int(clamping: limits.rlim_cur) : .max)
    }

    init(limit: Int) { self.limit = limit }

    /// From this number on no more clients are accepted, so that requests still reach their upstreams: an eighth of the
    /// limit is kept for them, at most 64. Of 40 descriptors that leaves 35, of 1,024 it leaves 960.
    var firstForUpstreams: Int { limit - min(limit / 8, 64) }

    /// From this number on no upstream is connected to, so that reloads and logs still work. Of 40 descriptors that
    /// leaves 38, of 1,024 it leaves 1,008.
    var firstForFiles: Int { limit - min(limit / 16, 16) }
}
