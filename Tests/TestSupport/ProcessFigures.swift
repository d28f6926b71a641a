import Glibc

/// Memory, descriptors and threads of a process. Source: proc(5).
package struct ProcessFigures: Sendable {
    /// In KiB; a page that N processes share counts as 1/N.
    package let pss: Int
    /// In KiB.
    package let rss: Int
    package let descriptors: Int
    package let threads: Int

    package init(of pid: Int32) {
        let status = readFile("/proc/\(pid)/status") ?? []
        pss = Self.number("Pss:", readFile("/proc/\(pid)/smaps_rollup") ?? [])
        rss = Self.number("VmRSS:", status)
        threads = Self.number("Threads:", status)
        descriptors = entries("/proc/\(pid)/fd").count
    }

    private static func number(_ name: String, _ file: [UInt8]) -> Int {
        for line in String(decoding: file, as: UTF8.self).split(separator: "\n") where line.hasPrefix(name) {
            return line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0
        }
        return 0
    }
}

/// The bytes in the buffers of all TCP sockets of the machine. Source: proc(5), /proc/net/sockstat, which counts pages.
package var kernelBytesOfTCP: Int {
    let lines = String(decoding: readFile("/proc/net/sockstat") ?? [], as: UTF8.self).split(separator: "\n")
    let pages = lines.first { $0.hasPrefix("TCP:") }?.split(separator: " ").last.flatMap { Int($0) } ?? 0
    return pages * 4096
}

/// Returns the content of a file, or nil if it can't be opened. It uses read(2) until the end, because files in /proc
/// report no size.
package func readFile(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return content }
        content += buffer.prefix(count)
    }
}

/// Returns the names in a folder except `.` and `..`; an empty list if the folder can't be opened.
package func entries(_ path: String) -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names
}
