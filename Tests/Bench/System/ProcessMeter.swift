import Glibc

/// CPU time and memory of a process and its children, whichever children those are at the moment.
struct ProcessMeter {
    struct Memory {
        var residentKiB = 0
        var proportionalKiB = 0
    }

    let pid: pid_t

    /// The process CPU clocks of all that live, exact to the nanosecond, plus what reaped children left behind, exact to a tick (10 ms).
    func cpu() -> Nanoseconds {
        family().reduce(reapedChildren()) { $0 + clock(of: $1) }
    }

    /// Sums over the family. Pages that a parent shares with its workers count once per process in `residentKiB`, and once in all in `proportionalKiB`.
    func memory() -> Memory {
        family().reduce(into: Memory()) { memory, member in
            for line in (Files.read("/proc/\(member)/smaps_rollup") ?? "").split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.count >= 2, let size = Int(words[1]) else { continue }
                if words[0] == "Rss:" { memory.residentKiB += size }
                if words[0] == "Pss:" { memory.proportionalKiB += size }
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

    /// `cutime` and `cstime`, the 16th and 17th field of /proc/PID/stat. The second may hold spaces; what is split here starts at its closing parenthesis.
    private func reapedChildren() -> Nanoseconds {
        guard let stat = Files.read("/proc/\(pid)/stat"), let name = stat.lastIndex(of: ")") else { return 0 }
        let fields = stat[name...].split(separator: " ")
        guard fields.count > 15, let user = UInt64(fields[14]), let system = UInt64(fields[15]) else { return 0 }
        return (user + system) * (1_000_000_000 / UInt64(max(1, sysconf(CInt(_SC_CLK_TCK)))))
    }
}
