import Glibc

/// Reads the CPU time and the memory of a process and its current children.
struct ProcessMeter {
    struct Memory {
        var residentKiB = 0
        var proportionalKiB = 0
    }

    let pid: pid_t

    /// The CPU time of the running processes, exact to a nanosecond, and of the children that have ended, exact to a
    /// tick (10 ms).
    func cpu() -> Nanoseconds {
        family().reduce(reapedChildren()) { $0 + clock(of: $1) }
    }

    /// The memory of the process and its children. A page that several of them share counts once for each in
    /// `residentKiB`, and once in total in `proportionalKiB`.
    func memory() -> Memory {
        family().reduce(into: Memory()) { memory, member in
            for line in (Files.read("/proc/\(member)/smaps_rollup") ?? "").split(separator: "\n") {
                let fields = line.split(separator: " ")
                guard fields.count >= 2, let size = Int(fields[1]) else { continue }
                if fields[0] == "Rss:" { memory.residentKiB += size }
                if fields[0] == "Pss:" { memory.proportionalKiB += size }
            }
        }
    }

    private func family() -> [pid_t] {
        let children = Files.read("/proc/\(pid)/task/\(pid)/children") ?? ""
        return [pid] + children.split(separator: " ").compactMap { pid_t($0) }
    }

    private func clock(of member: pid_t) -> Nanoseconds {
        var clock: clockid_t = 0
        var time = timespec()
        guard clock_getcpuclockid(member, &clock) == 0, clock_gettime(clock, &time) == 0 else { return 0 }
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// `cutime` and `cstime`, fields 16 and 17 of /proc/PID/stat. Field 2 may contain spaces, so the line is split
    /// after its closing parenthesis. Source: proc(5).
    private func reapedChildren() -> Nanoseconds {
        guard let stat = Files.read("/proc/\(pid)/stat"), let name = stat.lastIndex(of: ")") else { return 0 }
        let fields = stat[name...].split(separator: " ")
        guard fields.count > 15, let user = UInt64(fields[14]), let system = UInt64(fields[15]) else { return 0 }
        return (user + system) * (1_000_000_000 / UInt64(max(1, sysconf(CInt(_SC_CLK_TCK)))))
    }
}
