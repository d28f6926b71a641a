import Glibc

/// What the process uses of the machine.
package struct ProcessFigures: Sendable {
    package var cpuSeconds = 0.0
    package var residentBytes = 0
    package var virtualBytes = 0
    package var openDescriptors = 0
    package var maxDescriptors = 0

    /// Reads them; takes as long as counting the open descriptors.
    package static func now() -> ProcessFigures {
        var figures = ProcessFigures()
        var usage = rusage()
        if getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
            figures.cpuSeconds = [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
        }
        // Pages: the program's size, then what of it is in memory. Source: proc(5).
        let pages = text(of: "/proc/self/statm").split(separator: " ").compactMap { Int($0) }, pageBytes = Int(sysconf(Int32(_SC_PAGESIZE)))
        if pages.count > 1 { (figures.virtualBytes, figures.residentBytes) = (pages[0] * pageBytes, pages[1] * pageBytes) }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { figures.maxDescriptors = Int(clamping: limit.rlim_cur) }
        figures.openDescriptors = entries(of: "/proc/self/fd")
        return figures
    }

    private static func text(of path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }

    /// The descriptors that the folder lists, without the one that lists it.
    private static func entries(of folder: String) -> Int {
        guard let listing = opendir(folder) else { return 0 }
        defer { closedir(listing) }
        var count = 0
        while let entry = readdir(listing) {
            if entry.pointee.d_name.0 != CChar(bitPattern: UInt8(ascii: ".")) { count += 1 }
        }
        return max(0, count - 1)
    }
}
